//! Read models in memory.

use super::{MemoryAdapter, Tables};
use async_trait::async_trait;
use bytes::Bytes;
use composable_rust_core::Position;
use composable_rust_core::port::{
    Checkpoint, Filter, IndexValue, Order, Page, PageRequest, Query, ReadModel, ReadModelStore, RowChange,
    StoreError, StoredRow, ViewBatch,
};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// The rows of each generation, and which of them are live.
#[derive(Debug, Default)]
pub(super) struct ViewTables {
    rows: BTreeMap<(String, u32), BTreeMap<String, Row>>,
    live: BTreeMap<String, (u32, String)>,
}

#[derive(Debug)]
struct Row {
    body: Bytes,
    indexes: Vec<IndexValue>,
}

/// Refuses a page that no store gives.
pub(super) fn check_page(page: PageRequest) -> Result<(), StoreError> {
    if page.page == 0 || page.size == 0 || page.size > 1_000 {
        return Err(StoreError::InvalidRequest(format!(
            "page {} of {} rows: pages count from 1 and have 1 to 1,000 rows",
            page.page, page.size
        )));
    }
    Ok(())
}

impl ViewTables {
    fn of(&self, model: &ReadModel) -> Option<&BTreeMap<String, Row>> {
        self.rows.get(&(model.name.clone(), model.generation))
    }

    fn row(&self, model: &ReadModel, key: &str) -> Option<StoredRow> {
        let row = self.of(model)?.get(key)?;
        Some(StoredRow { key: key.to_owned(), body: row.body.clone() })
    }

    fn apply(&mut self, model: &ReadModel, changes: Vec<RowChange>) {
        let rows = self.rows.entry((model.name.clone(), model.generation)).or_default();
        for change in changes {
            match change {
                RowChange::Put { key, body, indexes } => {
                    rows.insert(key, Row { body, indexes });
                }
                RowChange::Delete { key } => {
                    rows.remove(&key);
                }
            }
        }
    }

    fn query(&self, model: &ReadModel, query: &Query) -> Result<Page<StoredRow>, StoreError> {
        check_page(query.page)?;
        let filters: Vec<(usize, &Filter)> = query
            .filters
            .iter()
            .map(|filter| Ok((column(model, name_of(filter))?, filter)))
            .collect::<Result<_, StoreError>>()?;
        let order = query.order.column.as_deref().map(|name| column(model, name)).transpose()?;
        let matches =
            |row: &Row| filters.iter().all(|(column, filter)| holds(filter, value(row, Some(*column))));
        let mut found: Vec<(&String, &Row)> =
            self.of(model).into_iter().flatten().filter(|(_, row)| matches(row)).collect();
        found.sort_by(|a, b| compare(&query.order, order, *a, *b));
        let skip = usize::try_from(query.page.offset()).unwrap_or(usize::MAX);
        let items = found.iter().skip(skip).take(query.page.size as usize);
        let items = items.map(|(key, row)| StoredRow { key: (*key).clone(), body: row.body.clone() });
        Ok(Page { items: items.collect(), total: found.len() as u64 })
    }
}

fn name_of(filter: &Filter) -> &str {
    match filter {
        Filter::Equals(column, _)
        | Filter::AnyOf(column, _)
        | Filter::AtLeast(column, _)
        | Filter::LessThan(column, _)
        | Filter::Contains(column, _) => column,
    }
}

fn column(model: &ReadModel, name: &str) -> Result<usize, StoreError> {
    model.indexes.iter().position(|index| index == name).ok_or_else(|| {
        StoreError::InvalidRequest(format!(
            "{} has no indexed column {name:?}; it has {:?}",
            model.name, model.indexes
        ))
    })
}

fn value(row: &Row, column: Option<usize>) -> &IndexValue {
    column.and_then(|column| row.indexes.get(column)).unwrap_or(&IndexValue::Null)
}

fn holds(filter: &Filter, value: &IndexValue) -> bool {
    let comparable = |bound: &IndexValue| *value != IndexValue::Null && *bound != IndexValue::Null;
    match filter {
        Filter::Equals(_, wanted) => value == wanted,
        Filter::AnyOf(_, wanted) => wanted.contains(value),
        Filter::AtLeast(_, bound) => comparable(bound) && value >= bound,
        Filter::LessThan(_, bound) => comparable(bound) && value < bound,
        Filter::Contains(_, part) => match value {
            IndexValue::Text(text) => text.to_ascii_lowercase().contains(&part.to_ascii_lowercase()),
            IndexValue::Null | IndexValue::Integer(_) => false,
        },
    }
}

fn compare(order: &Order, column: Option<usize>, a: (&String, &Row), b: (&String, &Row)) -> Ordering {
    let ascending = value(a.1, column).cmp(value(b.1, column)).then_with(|| a.0.cmp(b.0));
    if order.descending { ascending.reverse() } else { ascending }
}

/// A batch counts only when its checkpoint is progress.
fn commit(tables: &mut Tables, batch: ViewBatch) -> Result<(), StoreError> {
    if let Some(subscription) = &batch.fenced_by {
        tables.checkpoints.check(subscription, batch.checkpoint.fence)?;
    }
    if tables.checkpoints.save(batch.checkpoint)? {
        tables.views.apply(&batch.model, batch.changes);
    }
    Ok(())
}

#[async_trait]
impl ReadModelStore for MemoryAdapter {
    async fn prepare(&self, model: &ReadModel) -> Result<(), StoreError> {
        self.perform("prepare", |tables, _| tables.views.apply(model, Vec::new())).await
    }

    async fn load(&self, model: &ReadModel, keys: &[String]) -> Result<Vec<StoredRow>, StoreError> {
        self.perform("load", |tables, _| keys.iter().filter_map(|key| tables.views.row(model, key)).collect())
            .await
    }

    async fn commit(&self, batch: ViewBatch) -> Result<(), StoreError> {
        self.perform("commit", |tables, _| commit(tables, batch)).await?
    }

    async fn get(
        &self,
        model: &ReadModel,
        subscription: &str,
        key: &str,
    ) -> Result<(Option<StoredRow>, Position), StoreError> {
        self.perform("get", |tables, _| {
            (tables.views.row(model, key), tables.checkpoints.position(subscription))
        })
        .await
    }

    async fn query(
        &self,
        model: &ReadModel,
        subscription: &str,
        query: &Query,
    ) -> Result<(Page<StoredRow>, Position), StoreError> {
        self.perform("query", |tables, _| {
            Ok((tables.views.query(model, query)?, tables.checkpoints.position(subscription)))
        })
        .await?
    }

    async fn live_generation(&self, name: &str) -> Result<Option<(u32, String)>, StoreError> {
        self.perform("live_generation", |tables, _| tables.views.live.get(name).cloned()).await
    }

    async fn switch_generation(
        &self,
        name: &str,
        generation: u32,
        definition: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError> {
        self.perform("switch_generation", |tables, _| {
            tables.checkpoints.save(checkpoint)?;
            tables.views.live.insert(name.to_owned(), (generation, definition.to_owned()));
            Ok(())
        })
        .await?
    }

    async fn drop_generation(&self, model: &ReadModel) -> Result<(), StoreError> {
        self.perform("drop_generation", |tables, _| {
            tables.views.rows.remove(&(model.name.clone(), model.generation));
        })
        .await
    }
}
