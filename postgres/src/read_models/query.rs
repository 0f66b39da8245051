//! Queries on read models: filters and orders as SQL. Values are always bound; names are allowed ones only.

use super::names::{check_name, table};
use super::{ReadModels, optional};
use crate::rows::{column, signed, unsigned};
use composable_rust_core::Position;
use composable_rust_core::port::{Filter, IndexValue, Page, Query, ReadModel, StoreError, StoredRow};
use sqlx::AssertSqlSafe;

/// Most rows on a page.
const MAX_PAGE: u32 = 1_000;
/// Longest text in bytes that can be looked for within texts.
const MAX_CONTAINS_BYTES: usize = 10_000;
/// What no row fulfils.
const NEVER: &str = "FALSE";

/// A value to bind.
enum Value {
    Number(i64),
    Text(String),
    Numbers(Vec<i64>),
    Texts(Vec<String>),
}

/// Runs `query` in one statement, so that page, total and checkpoint are of one moment.
pub(super) async fn run(
    models: &ReadModels,
    model: &ReadModel,
    subscription: &str,
    query: &Query,
) -> Result<(Page<StoredRow>, Position), StoreError> {
    if query.page.page == 0 || query.page.size == 0 || query.page.size > MAX_PAGE {
        let reason = format!("pages are numbered from 1 and have 1 to {MAX_PAGE} rows, got {:?}", query.page);
        return Err(StoreError::InvalidRequest(reason));
    }
    let (text, values) = statement(model, query)?;
    let mut statement = sqlx::query(AssertSqlSafe(text))
        .bind(subscription)
        .bind(i64::from(query.page.size))
        .bind(signed(query.page.offset()));
    for value in values {
        statement = match value {
            Value::Number(number) => statement.bind(number),
            Value::Text(text) => statement.bind(text),
            Value::Numbers(numbers) => statement.bind(numbers),
            Value::Texts(texts) => statement.bind(texts),
        };
    }
    let rows = models.fetch(model, "query rows", statement).await?;
    let Some(first) = rows.first() else {
        return Err(StoreError::Corrupt("a query answered without its total".into()));
    };
    let (position, total) = (Position::from_i64(column(first, 0)?), unsigned(first, 1)?);
    let items = rows.iter().filter_map(|row| optional(row, 2).transpose()).collect::<Result<_, _>>()?;
    Ok((Page { items, total }, position))
}

/// The statement's text: $1 is the subscription, $2 the page's size, $3 its offset; the filters' values follow.
fn statement(model: &ReadModel, query: &Query) -> Result<(String, Vec<Value>), StoreError> {
    let table = table(model)?;
    let mut values = Vec::new();
    let conditions: Vec<String> =
        query.filters.iter().map(|filter| condition(model, filter, &mut values)).collect::<Result<_, _>>()?;
    let filter =
        if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) };
    let (direction, nulls) = if query.order.descending { ("DESC", "LAST") } else { ("ASC", "FIRST") };
    let by = |row: &str| -> Result<String, StoreError> {
        let Some(name) = &query.order.column else { return Ok(format!("{row}.key {direction}")) };
        let name = indexed(model, name)?;
        Ok(format!(
            "{row}.t_{name} {direction} NULLS {nulls}, {row}.n_{name} {direction} NULLS {nulls}, {row}.key {direction}"
        ))
    };
    let (inner, outer) = (by("r")?, by("b")?);
    // Bodies are joined to the page's keys, so that sorting and skipping do not carry them.
    let text = format!(
        "SELECT coalesce((SELECT position FROM checkpoints WHERE subscription = $1), 0), a.total, b.key, b.body
         FROM (SELECT count(*) AS total FROM {table} r {filter}) a
         LEFT JOIN (SELECT r.key FROM {table} r {filter} ORDER BY {inner} LIMIT $2 OFFSET $3) p ON true
         LEFT JOIN {table} b ON b.key = p.key
         ORDER BY {outer}"
    );
    Ok((text, values))
}

fn condition(model: &ReadModel, filter: &Filter, values: &mut Vec<Value>) -> Result<String, StoreError> {
    let mut bind = |value: Value| {
        values.push(value);
        // After the subscription, the size and the offset.
        format!("${}", values.len() + 3)
    };
    Ok(match filter {
        Filter::Equals(name, value) => {
            let name = indexed(model, name)?;
            match value {
                IndexValue::Null => is_null(name),
                IndexValue::Integer(number) => {
                    format!("(r.t_{name} IS NULL AND r.n_{name} = {})", bind(Value::Number(*number)))
                }
                IndexValue::Text(text) => format!("r.t_{name} = {}", bind(Value::Text(text.clone()))),
            }
        }
        Filter::AnyOf(name, any) => any_of(indexed(model, name)?, any, bind),
        // Every text is greater than every number.
        Filter::AtLeast(name, value) => {
            let name = indexed(model, name)?;
            match value {
                IndexValue::Null => NEVER.to_owned(),
                IndexValue::Integer(number) => {
                    format!("(r.n_{name} >= {} OR r.t_{name} IS NOT NULL)", bind(Value::Number(*number)))
                }
                IndexValue::Text(text) => format!("r.t_{name} >= {}", bind(Value::Text(text.clone()))),
            }
        }
        Filter::LessThan(name, value) => {
            let name = indexed(model, name)?;
            match value {
                IndexValue::Null => NEVER.to_owned(),
                IndexValue::Integer(number) => {
                    format!("(r.t_{name} IS NULL AND r.n_{name} < {})", bind(Value::Number(*number)))
                }
                IndexValue::Text(text) => {
                    format!("(r.t_{name} < {} OR r.n_{name} IS NOT NULL)", bind(Value::Text(text.clone())))
                }
            }
        }
        // Under the collation "C", letters that are not ASCII have no case.
        Filter::Contains(name, part) => {
            let name = indexed(model, name)?;
            format!("r.t_{name} ILIKE {}", bind(Value::Text(pattern(part)?)))
        }
    })
}

fn any_of(name: &str, any: &[IndexValue], mut bind: impl FnMut(Value) -> String) -> String {
    let (mut numbers, mut texts) = (Vec::new(), Vec::new());
    for value in any {
        match value {
            IndexValue::Null => {}
            IndexValue::Integer(number) => numbers.push(*number),
            IndexValue::Text(text) => texts.push(text.clone()),
        }
    }
    let mut parts = Vec::new();
    if !numbers.is_empty() {
        parts.push(format!("(r.t_{name} IS NULL AND r.n_{name} = ANY ({}))", bind(Value::Numbers(numbers))));
    }
    if !texts.is_empty() {
        parts.push(format!("r.t_{name} = ANY ({})", bind(Value::Texts(texts))));
    }
    if any.contains(&IndexValue::Null) {
        parts.push(is_null(name));
    }
    if parts.is_empty() { NEVER.to_owned() } else { format!("({})", parts.join(" OR ")) }
}

fn is_null(name: &str) -> String {
    format!("(r.t_{name} IS NULL AND r.n_{name} IS NULL)")
}

/// The name of an indexed column; any other is refused.
fn indexed<'m>(model: &'m ReadModel, name: &str) -> Result<&'m str, StoreError> {
    let Some(known) = model.indexes.iter().find(|index| *index == name) else {
        return Err(StoreError::InvalidRequest(format!(
            "read model {} has no index on {name:?}; it has {:?}",
            model.name, model.indexes
        )));
    };
    check_name("column", known)?;
    Ok(known)
}

fn pattern(part: &str) -> Result<String, StoreError> {
    if part.len() > MAX_CONTAINS_BYTES {
        let reason = format!("texts of more than {MAX_CONTAINS_BYTES} bytes cannot be looked for");
        return Err(StoreError::InvalidRequest(reason));
    }
    let mut pattern = String::with_capacity(part.len() + 2);
    pattern.push('%');
    for character in part.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    Ok(pattern)
}
