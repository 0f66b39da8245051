//! Pending timers, read by due time. Appends write them (`event_store/append.rs`).

use crate::connections::Database;
use crate::event_store::stream_id;
use crate::rows::{Statement, column, json_ids, json_texts, signed, timestamp, unsigned, uuid};
use async_trait::async_trait;
use composable_rust_core::port::{NewTimer, Skip, StoreError, Timer, TimerClaim, TimerStore};
use composable_rust_core::{StreamId, TimerId};
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use std::sync::Arc;

/// The timers of one file.
#[derive(Debug)]
pub(crate) struct Timers {
    database: Arc<Database>,
}

impl Timers {
    pub(crate) fn new(database: &Arc<Database>) -> Self {
        Self { database: Arc::clone(database) }
    }

    async fn read(&self, doing: &'static str, statement: Statement<'_>) -> Result<Vec<Timer>, StoreError> {
        self.database.read(doing).await?.all(statement).await?.iter().map(timer).collect()
    }

    /// Runs a statement that answers a row for each timer it changed.
    async fn change(&self, doing: &'static str, statement: Statement<'_>) -> Result<bool, StoreError> {
        Ok(!self.database.write(doing).await?.finish(statement).await?.is_empty())
    }
}

#[async_trait]
impl TimerStore for Timers {
    async fn due(
        &self,
        queue: &str,
        now: Timestamp,
        skip: Skip<'_>,
        limit: usize,
    ) -> Result<Vec<Timer>, StoreError> {
        let statement = sqlx::query(
            "SELECT id, token, queue, stream, due, payload, attempts FROM timers
             WHERE queue = ? AND due <= ? AND id NOT IN (SELECT unhex(value) FROM json_each(?))
                 AND stream NOT IN (SELECT value FROM json_each(?))
             ORDER BY due, id LIMIT +?",
        )
        .bind(queue)
        .bind(now.as_microsecond())
        .bind(json_ids(skip.timers.iter().map(TimerId::as_uuid)))
        .bind(json_texts(skip.streams.iter().map(StreamId::as_str)))
        .bind(signed(limit));
        self.read("read due timers", statement).await
    }

    async fn next_due(&self, queue: &str, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let statement =
            sqlx::query("SELECT due FROM timers WHERE queue = ? AND due > ? ORDER BY due LIMIT 1")
                .bind(queue)
                .bind(now.as_microsecond());
        let row = self.database.read("find the next timer").await?.first(statement).await?;
        row.map(|row| timestamp(&row, 0)).transpose()
    }

    /// From one queue to the next through the index, so that the timers within one are not read.
    async fn queues(&self) -> Result<Vec<String>, StoreError> {
        let statement = sqlx::query(
            "WITH RECURSIVE queues (name) AS (
                 SELECT min(queue) FROM timers
                 UNION ALL
                 SELECT (SELECT min(queue) FROM timers WHERE queue > name) FROM queues WHERE name IS NOT NULL
             )
             SELECT name FROM queues WHERE name IS NOT NULL",
        );
        let rows = self.database.read("list the queues of timers").await?.all(statement).await?;
        rows.iter().map(|row| column(row, 0)).collect()
    }

    async fn postpone(&self, claim: TimerClaim, due: Timestamp) -> Result<bool, StoreError> {
        let statement = sqlx::query(
            "UPDATE timers SET due = ?, attempts = attempts + 1 WHERE id = ? AND token = ? RETURNING 1",
        )
        .bind(due.as_microsecond())
        .bind(claim.id.as_uuid().as_bytes().to_vec())
        .bind(claim.token.as_bytes().to_vec());
        self.change("postpone a timer", statement).await
    }

    async fn remove(&self, claim: TimerClaim) -> Result<bool, StoreError> {
        let statement = sqlx::query("DELETE FROM timers WHERE id = ? AND token = ? RETURNING 1")
            .bind(claim.id.as_uuid().as_bytes().to_vec())
            .bind(claim.token.as_bytes().to_vec());
        self.change("remove a timer", statement).await
    }

    async fn pending(&self, stream: &StreamId) -> Result<Vec<Timer>, StoreError> {
        let statement = sqlx::query(
            "SELECT id, token, queue, stream, due, payload, attempts FROM timers
             WHERE stream = ? ORDER BY due, id",
        )
        .bind(stream.as_str());
        self.read("read pending timers", statement).await
    }
}

fn timer(row: &SqliteRow) -> Result<Timer, StoreError> {
    Ok(Timer {
        timer: NewTimer {
            id: TimerId::from_uuid(uuid(row, 0)?),
            token: uuid(row, 1)?,
            queue: column(row, 2)?,
            stream: stream_id(column(row, 3)?)?,
            due: timestamp(row, 4)?,
            payload: column::<Vec<u8>>(row, 5)?.into(),
        },
        attempts: unsigned(row, 6)?,
    })
}
