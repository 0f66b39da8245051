//! Pending timers, read by due time. Appends write them (`event_store/write.rs`).

use crate::connections::Database;
use crate::event_store::stream_id;
use crate::rows::{Statement, column, signed, small, timestamp};
use async_trait::async_trait;
use composable_rust_core::port::{NewTimer, Skip, StoreError, Timer, TimerClaim, TimerStore};
use composable_rust_core::{StreamId, TimerId};
use jiff::Timestamp;
use sqlx::postgres::PgRow;
use std::sync::Arc;
use uuid::Uuid;

/// The timers of one database.
#[derive(Debug)]
pub(crate) struct Timers {
    database: Arc<Database>,
}

impl Timers {
    pub(crate) fn new(database: &Arc<Database>) -> Self {
        Self { database: Arc::clone(database) }
    }

    async fn read(&self, doing: &'static str, statement: Statement<'_>) -> Result<Vec<Timer>, StoreError> {
        self.database.all(doing, statement).await?.iter().map(timer).collect()
    }

    /// Runs a statement that answers a row for each timer it changed.
    async fn change(&self, doing: &'static str, statement: Statement<'_>) -> Result<bool, StoreError> {
        Ok(!self.database.all(doing, statement).await?.is_empty())
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
        let timers: Vec<Uuid> = skip.timers.iter().map(TimerId::as_uuid).collect();
        let streams: Vec<&str> = skip.streams.iter().map(StreamId::as_str).collect();
        let statement = sqlx::query(
            "SELECT id, token, queue, stream, due, payload, attempts FROM timers
             WHERE queue = $1 AND due <= $2 AND id <> ALL ($3) AND stream <> ALL ($4)
             ORDER BY due, id LIMIT $5",
        )
        .bind(queue)
        .bind(now.as_microsecond())
        .bind(timers)
        .bind(streams)
        .bind(signed(limit));
        self.read("read due timers", statement).await
    }

    async fn next_due(&self, queue: &str, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let statement =
            sqlx::query("SELECT due FROM timers WHERE queue = $1 AND due > $2 ORDER BY due LIMIT 1")
                .bind(queue)
                .bind(now.as_microsecond());
        let row = self.database.first("find the next timer", statement).await?;
        row.map(|row| timestamp(&row, 0)).transpose()
    }

    /// From one queue to the next through the index, so that the timers within one are not read.
    async fn queues(&self) -> Result<Vec<String>, StoreError> {
        let statement = sqlx::query(
            "WITH RECURSIVE queues (name) AS (
                 (SELECT queue FROM timers ORDER BY queue LIMIT 1)
                 UNION ALL
                 SELECT (SELECT t.queue FROM timers t WHERE t.queue > q.name ORDER BY t.queue LIMIT 1)
                 FROM queues q WHERE q.name IS NOT NULL
             )
             SELECT name FROM queues WHERE name IS NOT NULL",
        );
        let rows = self.database.all("list the queues of timers", statement).await?;
        rows.iter().map(|row| column(row, 0)).collect()
    }

    async fn postpone(&self, claim: TimerClaim, due: Timestamp) -> Result<bool, StoreError> {
        let statement = sqlx::query(
            "UPDATE timers SET due = $1, attempts = attempts + 1 WHERE id = $2 AND token = $3 RETURNING 1",
        )
        .bind(due.as_microsecond())
        .bind(claim.id.as_uuid())
        .bind(claim.token);
        self.change("postpone a timer", statement).await
    }

    async fn remove(&self, claim: TimerClaim) -> Result<bool, StoreError> {
        let statement = sqlx::query("DELETE FROM timers WHERE id = $1 AND token = $2 RETURNING 1")
            .bind(claim.id.as_uuid())
            .bind(claim.token);
        self.change("remove a timer", statement).await
    }

    async fn pending(&self, stream: &StreamId) -> Result<Vec<Timer>, StoreError> {
        let statement = sqlx::query(
            "SELECT id, token, queue, stream, due, payload, attempts FROM timers
             WHERE stream = $1 ORDER BY due, id",
        )
        .bind(stream.as_str());
        self.read("read pending timers", statement).await
    }
}

fn timer(row: &PgRow) -> Result<Timer, StoreError> {
    Ok(Timer {
        timer: NewTimer {
            id: TimerId::from_uuid(column(row, 0)?),
            token: column(row, 1)?,
            queue: column(row, 2)?,
            stream: stream_id(column(row, 3)?)?,
            due: timestamp(row, 4)?,
            payload: column::<Vec<u8>>(row, 5)?.into(),
        },
        attempts: small(row, 6)?,
    })
}
