//! Read models: rows written with their checkpoint, one table for each generation of each model.
//!
//! The indexed columns have no declared type, so a number and a text that look alike stay apart. Not here: filters and
//! orders (`query.rs`).

mod query;

use crate::connections::{Database, Read, Write};
use crate::error::{corrupt, is_missing_table, store_error};
use crate::rows::{Statement, column, json_texts, signed, unsigned, values};
use async_trait::async_trait;
use composable_rust_core::Position;
use composable_rust_core::port::{
    Checkpoint, IndexValue, Page, Query, ReadModel, ReadModelStore, RowChange, StoreError, StoredRow,
    ViewBatch,
};
use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteRow;
use std::sync::Arc;

/// Longest name of a read model or of a column in bytes.
const MAX_NAME_BYTES: usize = 48;
/// Most indexed columns of a read model.
const MAX_INDEXES: usize = 64;
/// Most rows that one statement writes. Each power of two up to here has a statement of its own.
const MAX_ROWS: usize = 256;

/// The read models of one file.
#[derive(Debug)]
pub(crate) struct ReadModels {
    database: Arc<Database>,
}

impl ReadModels {
    pub(crate) fn new(database: &Arc<Database>) -> Self {
        Self { database: Arc::clone(database) }
    }
}

#[async_trait]
impl ReadModelStore for ReadModels {
    async fn prepare(&self, model: &ReadModel) -> Result<(), StoreError> {
        prepare(&self.database, model).await
    }

    async fn load(&self, model: &ReadModel, keys: &[String]) -> Result<Vec<StoredRow>, StoreError> {
        let text =
            format!("SELECT key, body FROM {} WHERE key IN (SELECT value FROM json_each(?))", table(model)?);
        let statement = sqlx::query(AssertSqlSafe(text)).bind(json_texts(keys.iter().map(String::as_str)));
        let mut read = self.database.read("load rows").await?;
        fetch(&mut read, model, "load rows", statement).await?.iter().map(|row| stored(row, 0)).collect()
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
            "SELECT coalesce((SELECT position FROM checkpoints WHERE subscription = ?), 0), r.key, r.body
             FROM (SELECT 1) LEFT JOIN {} r ON r.key = ?",
            table(model)?
        );
        let statement = sqlx::query(AssertSqlSafe(text)).bind(subscription).bind(key);
        let mut read = self.database.read("get a row").await?;
        let rows = fetch(&mut read, model, "get a row", statement).await?;
        let Some(row) = rows.first() else { return Ok((None, Position::ZERO)) };
        Ok((optional(row, 1)?, Position::from_i64(column(row, 0)?)))
    }

    async fn query(
        &self,
        model: &ReadModel,
        subscription: &str,
        query: &Query,
    ) -> Result<(Page<StoredRow>, Position), StoreError> {
        query::run(&self.database, model, subscription, query).await
    }

    async fn live_generation(&self, name: &str) -> Result<Option<(u32, String)>, StoreError> {
        let statement =
            sqlx::query("SELECT generation, definition FROM live_generations WHERE name = ?").bind(name);
        let mut read = self.database.read("find the live generation").await?;
        let Some(row) = read.first(statement).await? else { return Ok(None) };
        Ok(Some((unsigned(&row, 0)?, column(&row, 1)?)))
    }

    async fn switch_generation(
        &self,
        name: &str,
        generation: u32,
        definition: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError> {
        let mut write = self.database.write("switch a generation").await?;
        let Some(saved) = begin(&mut write, &checkpoint).await? else {
            return refuse(write, checkpoint.subscription).await;
        };
        let statement = sqlx::query(
            "INSERT OR REPLACE INTO live_generations (name, generation, definition) VALUES (?, ?, ?)",
        )
        .bind(name)
        .bind(generation)
        .bind(definition);
        write.run(statement).await?;
        let position = saved.position.max(checkpoint.position);
        write.finish(save_checkpoint(&checkpoint, position)).await.map(drop)
    }

    async fn drop_generation(&self, model: &ReadModel) -> Result<(), StoreError> {
        let text = format!(
            "BEGIN IMMEDIATE; DROP TABLE IF EXISTS {};
             DELETE FROM read_models WHERE name = ? AND generation = ?; COMMIT",
            table(model)?
        );
        let statement = sqlx::query(AssertSqlSafe(text)).bind(model.name.as_str()).bind(model.generation);
        self.database.write("drop a generation").await?.finish(statement).await.map(drop)
    }
}

/// Makes the table and its indexes, unless they are there; the same name and generation cannot have other columns.
async fn prepare(database: &Arc<Database>, model: &ReadModel) -> Result<(), StoreError> {
    check_columns(model)?;
    let table = table(model)?;
    let wanted = json_texts(model.indexes.iter().map(String::as_str));
    let mut write = database.write("prepare a read model").await?;
    let known =
        sqlx::query("BEGIN IMMEDIATE; SELECT indexes FROM read_models WHERE name = ? AND generation = ?")
            .bind(model.name.as_str())
            .bind(model.generation);
    if let Some(row) = write.run(known).await?.first() {
        let known: String = column(row, 0)?;
        write.abandon().await?;
        return if known == wanted { Ok(()) } else { Err(other_columns(model, &known)) };
    }
    let columns = each_index(model, |name| format!(", i_{name}"));
    let indexes =
        each_index(model, |name| format!("CREATE INDEX \"{table}.{name}\" ON {table} (i_{name}, key); "));
    let text = format!(
        "CREATE TABLE {table} (key TEXT NOT NULL PRIMARY KEY, body BLOB NOT NULL{columns}); {indexes}
         INSERT INTO read_models (name, generation, indexes) VALUES (?, ?, ?); COMMIT"
    );
    let statement = sqlx::query(AssertSqlSafe(text))
        .persistent(false)
        .bind(model.name.as_str())
        .bind(model.generation)
        .bind(wanted);
    write.finish(statement).await.map(drop)
}

async fn commit(database: &Arc<Database>, batch: &ViewBatch) -> Result<(), StoreError> {
    let ViewBatch { model, changes, checkpoint, fenced_by } = batch;
    let table = table(model)?;
    check_changes(model, changes)?;
    let mut write = database.write_behind("write rows").await?;
    let Some(saved) = begin(&mut write, checkpoint).await? else {
        return refuse(write, checkpoint.subscription.clone()).await;
    };
    if let Some(subscription) = fenced_by
        && is_fenced(&mut write, subscription, checkpoint.fence).await?
    {
        return refuse(write, subscription.clone()).await;
    }
    if checkpoint.position > saved.position {
        put(&mut write, model, &table, changes).await?;
        delete(&mut write, model, &table, changes).await?;
    } else if saved.fence == Some(signed(checkpoint.fence)) {
        return write.abandon().await;
    }
    let position = saved.position.max(checkpoint.position);
    write.finish(save_checkpoint(checkpoint, position)).await.map(drop)
}

/// What is saved of a checkpoint.
#[derive(Default)]
struct Saved {
    position: Position,
    /// Its fence, if there is one.
    fence: Option<i64>,
}

/// Begins the transaction that saves `checkpoint`; answers what is saved, or nothing when a newer holder has saved.
async fn begin(write: &mut Write<'_>, checkpoint: &Checkpoint) -> Result<Option<Saved>, StoreError> {
    let statement =
        sqlx::query("BEGIN IMMEDIATE; SELECT position, fence FROM checkpoints WHERE subscription = ?")
            .bind(checkpoint.subscription.as_str());
    let rows = write.run(statement).await?;
    let Some(row) = rows.first() else { return Ok(Some(Saved::default())) };
    let (position, fence) = (Position::from_i64(column(row, 0)?), column(row, 1)?);
    Ok((signed(checkpoint.fence) >= fence).then_some(Saved { position, fence: Some(fence) }))
}

async fn is_fenced(write: &mut Write<'_>, subscription: &str, fence: u64) -> Result<bool, StoreError> {
    let statement = sqlx::query("SELECT 1 FROM checkpoints WHERE subscription = ? AND fence > ?")
        .bind(subscription)
        .bind(signed(fence));
    Ok(!write.run(statement).await?.is_empty())
}

async fn refuse(mut write: Write<'_>, work: String) -> Result<(), StoreError> {
    write.abandon().await?;
    Err(StoreError::Fenced { work })
}

fn save_checkpoint(checkpoint: &Checkpoint, position: Position) -> Statement<'_> {
    sqlx::query("INSERT OR REPLACE INTO checkpoints (subscription, position, fence) VALUES (?, ?, ?); COMMIT")
        .bind(checkpoint.subscription.as_str())
        .bind(position.as_i64())
        .bind(signed(checkpoint.fence))
}

async fn put(
    write: &mut Write<'_>,
    model: &ReadModel,
    table: &str,
    changes: &[RowChange],
) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for change in changes {
        if let RowChange::Put { key, body, indexes } = change {
            rows.push((key, body, indexes));
        }
    }
    let (head, row, tail) = put_parts(model, table);
    let mut left = &rows[..];
    while !left.is_empty() {
        // The largest power of two keeps the number of different statements small.
        let count = MAX_ROWS.min(1 << left.len().ilog2());
        let (part, rest) = left.split_at(count);
        let mut statement = sqlx::query(AssertSqlSafe(values(&head, &row, &tail, count)));
        for (key, body, indexes) in part {
            statement = statement.bind(key.as_str()).bind(body.to_vec());
            for value in *indexes {
                statement = bind_value(statement, value);
            }
        }
        run(write, model, statement).await?;
        left = rest;
    }
    Ok(())
}

fn put_parts(model: &ReadModel, table: &str) -> (String, String, String) {
    let columns = each_index(model, |name| format!(", i_{name}"));
    let marks = each_index(model, |_| ", ?".to_owned());
    let updates = each_index(model, |name| format!(", i_{name} = excluded.i_{name}"));
    (
        format!("INSERT INTO {table} (key, body{columns}) VALUES "),
        format!("(?, ?{marks})"),
        format!(" ON CONFLICT (key) DO UPDATE SET body = excluded.body{updates}"),
    )
}

/// A piece of SQL for each indexed column, one after the other.
fn each_index(model: &ReadModel, piece: impl Fn(&str) -> String) -> String {
    model.indexes.iter().map(|name| piece(name)).collect::<Vec<_>>().concat()
}

async fn delete(
    write: &mut Write<'_>,
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
    let text = format!("DELETE FROM {table} WHERE key IN (SELECT value FROM json_each(?))");
    run(write, model, sqlx::query(AssertSqlSafe(text)).bind(json_texts(keys))).await
}

async fn run(write: &mut Write<'_>, model: &ReadModel, statement: Statement<'_>) -> Result<(), StoreError> {
    write.try_run(statement).await.map(drop).map_err(|error| failure(model, "write rows", error))
}

async fn fetch(
    read: &mut Read<'_>,
    model: &ReadModel,
    doing: &'static str,
    statement: Statement<'_>,
) -> Result<Vec<SqliteRow>, StoreError> {
    read.try_all(statement).await.map_err(|error| failure(model, doing, error))
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

fn bind_value<'q>(statement: Statement<'q>, value: &'q IndexValue) -> Statement<'q> {
    match value {
        IndexValue::Null => statement.bind(None::<i64>),
        IndexValue::Integer(number) => statement.bind(number),
        IndexValue::Text(text) => statement.bind(text.as_str()),
    }
}

fn stored(row: &SqliteRow, first: usize) -> Result<StoredRow, StoreError> {
    Ok(StoredRow { key: column(row, first)?, body: column::<Vec<u8>>(row, first + 1)?.into() })
}

/// A row from the right side of an outer join.
fn optional(row: &SqliteRow, first: usize) -> Result<Option<StoredRow>, StoreError> {
    let exists = column::<Option<&str>>(row, first)?.is_some();
    exists.then(|| stored(row, first)).transpose()
}

/// The name of the model's table. Names are checked, because they become a part of statements.
fn table(model: &ReadModel) -> Result<String, StoreError> {
    check_name("read model", &model.name)?;
    Ok(format!("view_{}_{}", model.name, model.generation))
}

fn check_columns(model: &ReadModel) -> Result<(), StoreError> {
    if model.indexes.len() > MAX_INDEXES {
        let reason = format!("read model {} indexes more than {MAX_INDEXES} columns", model.name);
        return Err(StoreError::InvalidRequest(reason));
    }
    model.indexes.iter().try_for_each(|name| check_name("column", name))
}

fn check_changes(model: &ReadModel, changes: &[RowChange]) -> Result<(), StoreError> {
    check_columns(model)?;
    for change in changes {
        let (key, fits) = match change {
            RowChange::Put { key, indexes, .. } => (key, indexes.len() == model.indexes.len()),
            RowChange::Delete { key } => (key, true),
        };
        if !fits || key.contains('\0') {
            return Err(StoreError::InvalidRequest(format!(
                "row {key:?} of read model {}: a value for each of {:?} and a key without NUL is needed",
                model.name, model.indexes
            )));
        }
    }
    Ok(())
}

fn check_name(kind: &str, name: &str) -> Result<(), StoreError> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if name.is_empty() || name.len() > MAX_NAME_BYTES || !name.bytes().all(allowed) {
        return Err(StoreError::InvalidRequest(format!(
            "the {kind} {name:?} needs a name of 1 to {MAX_NAME_BYTES} characters of a-z, 0-9 and _"
        )));
    }
    Ok(())
}

fn other_columns(model: &ReadModel, known: &str) -> StoreError {
    match serde_json::from_str::<Vec<String>>(known) {
        Ok(known) => StoreError::InvalidRequest(format!(
            "generation {} of read model {} was built with the indexes {known:?}, not {:?}; build the next generation",
            model.generation, model.name, model.indexes
        )),
        Err(error) => corrupt("the indexes of a read model", &error),
    }
}
