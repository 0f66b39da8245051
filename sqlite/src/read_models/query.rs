//! Queries on read models: filters and orders as SQL. Values are always bound; names are allowed ones only.

use super::{check_name, fetch, optional, table};
use crate::connections::Database;
use crate::rows::{column, json_texts, signed, unsigned};
use composable_rust_core::Position;
use composable_rust_core::port::{Filter, IndexValue, Page, Query, ReadModel, StoreError, StoredRow};
use sqlx::AssertSqlSafe;

/// Most rows on a page.
const MAX_PAGE: u32 = 1_000;
/// Longest text in bytes that can be looked for within texts.
const MAX_CONTAINS_BYTES: usize = 10_000;

/// The conditions of a query with the values to bind, in the order of their numbers.
struct Conditions {
    sql: String,
    values: Vec<IndexValue>,
}

/// Runs `query` in one statement, so that page, total and checkpoint are of one moment.
pub(super) async fn run(
    database: &Database,
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
        .bind(query.page.size)
        .bind(signed(query.page.offset()));
    for value in &values {
        statement = super::bind_value(statement, value);
    }
    let mut read = database.read("query rows").await?;
    let rows = fetch(&mut read, model, "query rows", statement).await?;
    let Some(first) = rows.first() else {
        return Err(StoreError::Corrupt("a query answered without its total".into()));
    };
    let (position, total) = (Position::from_i64(column(first, 0)?), unsigned(first, 1)?);
    let items = rows.iter().filter_map(|row| optional(row, 2).transpose()).collect::<Result<_, _>>()?;
    Ok((Page { items, total }, position))
}

/// The statement's text: ?1 is the subscription, ?2 the page's size, ?3 its offset; the filters' values follow.
fn statement(model: &ReadModel, query: &Query) -> Result<(String, Vec<IndexValue>), StoreError> {
    let table = table(model)?;
    let conditions = conditions(model, &query.filters)?;
    let filter = if conditions.sql.is_empty() { String::new() } else { format!("WHERE {}", conditions.sql) };
    let direction = if query.order.descending { "DESC" } else { "ASC" };
    let by = match &query.order.column {
        Some(name) => indexed(model, name)?,
        None => "key".to_owned(),
    };
    // Bodies are joined to the page's keys, so that sorting and skipping do not carry them.
    let text = format!(
        "SELECT coalesce((SELECT position FROM checkpoints WHERE subscription = ?1), 0), n.total, b.key, b.body
         FROM (SELECT count(*) AS total FROM {table} {filter}) n
         LEFT JOIN (SELECT key, {by} AS place FROM {table} {filter}
                    ORDER BY {by} {direction}, key {direction} LIMIT +?2 OFFSET ?3) r ON true
         LEFT JOIN {table} b ON b.key = r.key
         ORDER BY r.place {direction}, r.key {direction}"
    );
    Ok((text, conditions.values))
}

fn conditions(model: &ReadModel, filters: &[Filter]) -> Result<Conditions, StoreError> {
    let mut conditions = Conditions { sql: String::new(), values: Vec::new() };
    for filter in filters {
        let condition = condition(model, filter, &mut conditions.values)?;
        if !conditions.sql.is_empty() {
            conditions.sql.push_str(" AND ");
        }
        conditions.sql.push_str(&condition);
    }
    Ok(conditions)
}

fn condition(model: &ReadModel, filter: &Filter, values: &mut Vec<IndexValue>) -> Result<String, StoreError> {
    let mut bind = |value: IndexValue| {
        values.push(value);
        // After the subscription, the size and the offset.
        format!("?{}", values.len() + 3)
    };
    Ok(match filter {
        Filter::Equals(name, value) => {
            let column = indexed(model, name)?;
            format!("{column} IS {}", bind(value.clone()))
        }
        Filter::AnyOf(name, any) => {
            let column = indexed(model, name)?;
            let list = bind(IndexValue::Text(json_values(any)));
            let null =
                if any.contains(&IndexValue::Null) { format!(" OR {column} IS NULL") } else { String::new() };
            format!("({column} IN (SELECT value FROM json_each({list})){null})")
        }
        Filter::AtLeast(name, value) => format!("{} >= {}", indexed(model, name)?, bind(value.clone())),
        Filter::LessThan(name, value) => format!("{} < {}", indexed(model, name)?, bind(value.clone())),
        Filter::Contains(name, part) => {
            let column = indexed(model, name)?;
            let pattern = bind(IndexValue::Text(pattern(part)?));
            format!("(typeof({column}) = 'text' AND {column} LIKE {pattern} ESCAPE '\\')")
        }
    })
}

/// The table's column for an indexed one; any other name is refused.
fn indexed(model: &ReadModel, name: &str) -> Result<String, StoreError> {
    if !model.indexes.iter().any(|index| index == name) {
        return Err(StoreError::InvalidRequest(format!(
            "read model {} has no index on {name:?}; it has {:?}",
            model.name, model.indexes
        )));
    }
    check_name("column", name)?;
    Ok(format!("i_{name}"))
}

/// A JSON array of the values that are not null, which keeps numbers and texts apart.
fn json_values(values: &[IndexValue]) -> String {
    let parts: Vec<String> = values
        .iter()
        .filter_map(|value| match value {
            IndexValue::Null => None,
            IndexValue::Integer(number) => Some(number.to_string()),
            IndexValue::Text(text) => {
                let quoted = json_texts([text.as_str()]);
                Some(quoted.trim_start_matches('[').trim_end_matches(']').to_owned())
            }
        })
        .collect();
    format!("[{}]", parts.join(","))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_with_brackets_stay_whole_in_json() {
        let values = ["]", "[", "\"]", "a"].map(|text| IndexValue::Text(text.into()));
        let back: Vec<String> = serde_json::from_str(&json_values(&values)).unwrap();
        assert_eq!(back, ["]", "[", "\"]", "a"]);
    }
}
