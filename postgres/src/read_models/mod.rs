//! Read models: rows written with their checkpoint, one table for each generation of each model.
//!
//! An indexed column is two columns of the table, one for numbers and one for texts, so that a number and a text that
//! look alike stay apart. Not here: filters and orders (`query.rs`), names and their checks (`names.rs`).

mod names;
mod query;

use crate::checkpoints;
use crate::connections::{Database, Work};
use crate::error::{is_missing_table, store_error};
use crate::rows::{Statement, column, json_texts, signed, unsigned};
use crate::schema::LOCK;
use async_trait::async_trait;
use composable_rust_core::Position;
use composable_rust_core::port::{
    Checkpoint, IndexValue, Page, Query, ReadModel, ReadModelStore, RowChange, StoreError, StoredRow,
    ViewBatch,
};
use names::{check_changes, check_columns, each_index, other_columns, table};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgRow;
use std::sync::Arc;

/// The read models of one database.
#[derive(Debug)]
pub(crate) struct ReadModels {
    database: Arc<Database>,
}

impl ReadModels {
    pub(crate) fn new(database: &Arc<Database>) -> Self {
        Self { database: Arc::clone(database) }
    }

    async fn fetch(
        &self,
        model: &ReadModel,
        doing: &'static str,
        statement: Statement<'_>,
    ) -> Result<Vec<PgRow>, StoreError> {
        self.database.try_all(statement).await.map_err(|error| failure(model, doing, error))
    }
}

#[async_trait]
impl ReadModelStore for ReadModels {
    async fn prepare(&self, model: &ReadModel) -> Result<(), StoreError> {
        prepare(&self.database, model).await
    }

    async fn load(&self, model: &ReadModel, keys: &[String]) -> Result<Vec<StoredRow>, StoreError> {
        let text = format!("SELECT key, body FROM {} WHERE key = ANY ($1)", table(model)?);
        let statement = sqlx::query(AssertSqlSafe(text)).bind(keys);
        let rows = self.fetch(model, "load rows", statement).await?;
        rows.iter().map(|row| stored(row, 0)).collect()
    }

    async fn commit(&self, batch: ViewBatch) -> Result<(), StoreError> {
        commit(&self.database, &batch).await
    }

    async fn get(
        &self,
        model: &ReadModel,
        subscription: &str,
        key: &str,
    ) -> Result<(Option<StoredRow>, Position), StoreError> {
        let text = format!(
            "SELECT coalesce((SELECT position FROM checkpoints WHERE subscription = $1), 0), r.key, r.body
             FROM (SELECT 1) AS one LEFT JOIN {} r ON r.key = $2",
            table(model)?
        );
        let statement = sqlx::query(AssertSqlSafe(text)).bind(subscription).bind(key);
        let rows = self.fetch(model, "get a row", statement).await?;
        let Some(row) = rows.first() else { return Ok((None, Position::ZERO)) };
        Ok((optional(row, 1)?, Position::from_i64(column(row, 0)?)))
    }

    async fn query(
        &self,
        model: &ReadModel,
        subscription: &str,
        query: &Query,
    ) -> Result<(Page<StoredRow>, Position), StoreError> {
        query::run(self, model, subscription, query).await
    }

    async fn live_generation(&self, name: &str) -> Result<Option<(u32, String)>, StoreError> {
        let statement =
            sqlx::query("SELECT generation, definition FROM live_generations WHERE name = $1").bind(name);
        let row = self.database.first("find the live generation", statement).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some((unsigned(&row, 0)?, column(&row, 1)?)))
    }

    async fn switch_generation(
        &self,
        name: &str,
        generation: u32,
        definition: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError> {
        let mut work = self.database.begin("switch a generation").await?;
        if save_checkpoint(&mut work, &checkpoint).await?.is_none() {
            return refuse(work, checkpoint.subscription).await;
        }
        let statement = sqlx::query(
            "INSERT INTO live_generations (name, generation, definition) VALUES ($1, $2, $3)
             ON CONFLICT (name) DO UPDATE SET generation = excluded.generation, definition = excluded.definition",
        )
        .bind(name)
        .bind(i64::from(generation))
        .bind(definition);
        work.all(statement).await?;
        work.commit().await
    }

    async fn drop_generation(&self, model: &ReadModel) -> Result<(), StoreError> {
        let mut work = self.database.begin("drop a generation").await?;
        work.raw(format!("DROP TABLE IF EXISTS {}", table(model)?)).await?;
        let statement = sqlx::query("DELETE FROM read_models WHERE name = $1 AND generation = $2")
            .bind(model.name.as_str())
            .bind(i64::from(model.generation));
        work.all(statement).await?;
        work.commit().await
    }
}

/// Makes the table and its indexes, unless they are there; the same name and generation cannot have other columns.
async fn prepare(database: &Arc<Database>, model: &ReadModel) -> Result<(), StoreError> {
    check_columns(model)?;
    let table = table(model)?;
    let wanted = json_texts(model.indexes.iter().map(String::as_str));
    let mut work = database.begin("prepare a read model").await?;
    // Whoever comes second waits here, and then finds the work done.
    work.all(sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK)).await?;
    let known = sqlx::query("SELECT indexes FROM read_models WHERE name = $1 AND generation = $2")
        .bind(model.name.as_str())
        .bind(i64::from(model.generation));
    if let Some(row) = work.all(known).await?.first() {
        let known: String = column(row, 0)?;
        work.abandon().await?;
        return if known == wanted { Ok(()) } else { Err(other_columns(model, &known)) };
    }
    let columns = each_index(model, |name| format!(", n_{name} bigint, t_{name} text COLLATE \"C\""));
    // Numbers come before texts, and what is neither comes first.
    let indexes = each_index(model, |name| {
        format!("CREATE INDEX ON {table} (t_{name} NULLS FIRST, n_{name} NULLS FIRST, key); ")
    });
    work.raw(format!(
        "CREATE TABLE {table} (key text COLLATE \"C\" PRIMARY KEY, body bytea NOT NULL{columns}); {indexes}"
    ))
    .await?;
    let statement = sqlx::query("INSERT INTO read_models (name, generation, indexes) VALUES ($1, $2, $3)")
        .bind(model.name.as_str())
        .bind(i64::from(model.generation))
        .bind(wanted);
    work.all(statement).await?;
    work.commit().await
}

async fn commit(database: &Arc<Database>, batch: &ViewBatch) -> Result<(), StoreError> {
    let ViewBatch { model, changes, checkpoint, fenced_by } = batch;
    let table = table(model)?;
    check_changes(model, changes)?;
    let mut work = database.begin("write rows").await?;
    // The checkpoint is locked first: two holders write one after the other.
    let Some(saved) = save_checkpoint(&mut work, checkpoint).await? else {
        return refuse(work, checkpoint.subscription.clone()).await;
    };
    if let Some(subscription) = fenced_by
        && is_fenced(&mut work, subscription, checkpoint.fence).await?
    {
        return refuse(work, subscription.clone()).await;
    }
    if checkpoint.position > saved {
        put(&mut work, model, &table, changes).await?;
        delete(&mut work, model, &table, changes).await?;
    }
    work.commit().await
}

/// Saves a checkpoint and answers what was saved before, or nothing when a newer holder has saved.
async fn save_checkpoint(work: &mut Work, checkpoint: &Checkpoint) -> Result<Option<Position>, StoreError> {
    let rows = work.all(checkpoints::save(checkpoint)).await?;
    let row = rows.first().ok_or_else(|| StoreError::Corrupt("a checkpoint was not answered".into()))?;
    let fenced: bool = column(row, 1)?;
    Ok(if fenced { None } else { Some(Position::from_i64(column(row, 0)?)) })
}

async fn is_fenced(work: &mut Work, subscription: &str, fence: u64) -> Result<bool, StoreError> {
    let statement = sqlx::query("SELECT fence > $2 FROM checkpoints WHERE subscription = $1 FOR SHARE")
        .bind(subscription)
        .bind(signed(fence));
    work.all(statement).await?.first().map_or(Ok(false), |row| column(row, 0))
}

async fn refuse(work: Work, lease: String) -> Result<(), StoreError> {
    work.abandon().await?;
    Err(StoreError::Fenced { work: lease })
}

async fn put(
    work: &mut Work,
    model: &ReadModel,
    table: &str,
    changes: &[RowChange],
) -> Result<(), StoreError> {
    let (mut keys, mut bodies, mut rows): (Vec<&str>, Vec<&[u8]>, Vec<&[IndexValue]>) =
        (Vec::new(), Vec::new(), Vec::new());
    for change in changes {
        if let RowChange::Put { key, body, indexes } = change {
            keys.push(key);
            bodies.push(body);
            rows.push(indexes);
        }
    }
    if keys.is_empty() {
        return Ok(());
    }
    let mut statement = sqlx::query(AssertSqlSafe(put_text(model, table))).bind(keys).bind(bodies);
    for place in 0..model.indexes.len() {
        let values = || rows.iter().map(|values| values.get(place));
        let numbers: Vec<Option<i64>> = values().map(|value| number(value?)).collect();
        let texts: Vec<Option<&str>> = values().map(|value| text(value?)).collect();
        statement = statement.bind(numbers).bind(texts);
    }
    run(work, model, statement).await
}

fn put_text(model: &ReadModel, table: &str) -> String {
    let columns = each_index(model, |name| format!(", n_{name}, t_{name}"));
    let array = |place| format!(", ${}::bigint[], ${}::text[]", 2 * place + 3, 2 * place + 4);
    let arrays = (0..model.indexes.len()).map(array).collect::<Vec<_>>().concat();
    let updates =
        each_index(model, |name| format!(", n_{name} = excluded.n_{name}, t_{name} = excluded.t_{name}"));
    format!(
        "INSERT INTO {table} (key, body{columns}) SELECT * FROM unnest($1::text[], $2::bytea[]{arrays})
         ON CONFLICT (key) DO UPDATE SET body = excluded.body{updates}"
    )
}

async fn delete(
    work: &mut Work,
    model: &ReadModel,
    table: &str,
    changes: &[RowChange],
) -> Result<(), StoreError> {
    let mut keys = Vec::new();
    for change in changes {
        if let RowChange::Delete { key } = change {
            keys.push(key.as_str());
        }
    }
    if keys.is_empty() {
        return Ok(());
    }
    let text = format!("DELETE FROM {table} WHERE key = ANY ($1)");
    run(work, model, sqlx::query(AssertSqlSafe(text)).bind(keys)).await
}

async fn run(work: &mut Work, model: &ReadModel, statement: Statement<'_>) -> Result<(), StoreError> {
    work.try_all(statement).await.map(drop).map_err(|error| failure(model, "write rows", error))
}

/// A missing table is the caller's mistake, not the store's failure.
fn failure(model: &ReadModel, doing: &'static str, error: sqlx::Error) -> StoreError {
    if is_missing_table(&error) {
        let (name, generation) = (&model.name, model.generation);
        return StoreError::InvalidRequest(format!(
            "generation {generation} of read model {name} was not prepared"
        ));
    }
    store_error(doing, error)
}

const fn number(value: &IndexValue) -> Option<i64> {
    match value {
        IndexValue::Integer(number) => Some(*number),
        IndexValue::Null | IndexValue::Text(_) => None,
    }
}

fn text(value: &IndexValue) -> Option<&str> {
    match value {
        IndexValue::Text(text) => Some(text),
        IndexValue::Null | IndexValue::Integer(_) => None,
    }
}

fn stored(row: &PgRow, first: usize) -> Result<StoredRow, StoreError> {
    Ok(StoredRow { key: column(row, first)?, body: column::<Vec<u8>>(row, first + 1)?.into() })
}

/// A row from the right side of an outer join.
fn optional(row: &PgRow, first: usize) -> Result<Option<StoredRow>, StoreError> {
    let exists = column::<Option<&str>>(row, first)?.is_some();
    exists.then(|| stored(row, first)).transpose()
}
