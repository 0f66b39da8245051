//! The reference: one sqlx connection on the product's own tables with all their indexes, and nothing around it.

use crate::Outcome;
use composable_rust::RecordedEvent;
use composable_rust::port::OpenStorage;
use composable_rust::prelude::Sqlite;
use composable_rust::runtime::live_environment;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteRow, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use std::path::Path;
use std::sync::Arc;

/// Rows of one durable statement.
pub(crate) const ROWS: usize = 64;

/// A connection with the product's settings.
pub(crate) struct Bare {
    pub(crate) connection: SqliteConnection,
    insert: Arc<str>,
    position: i64,
}

impl Bare {
    /// A file with the product's tables, made by the product.
    pub(crate) async fn create(path: &Path) -> Outcome<Self> {
        let storage = Sqlite::file(path).open(&live_environment()).await?;
        (storage.close)().await;
        Self::open(path).await
    }

    /// A file that the product has closed.
    pub(crate) async fn open(path: &Path) -> Outcome<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("cache_size", "-16384")
            .pragma("wal_autocheckpoint", "4096")
            .row_buffer_size(1_024)
            .disable_statement_logging();
        let rows = vec!["(?, ?, ?, ?, ?, ?, ?, ?, ?)"; ROWS].join(",");
        let insert = format!(
            "INSERT INTO events (position, stream_id, version, event_id, event_type, schema_version, recorded_at,
             metadata, payload) VALUES {rows}"
        );
        Ok(Self { connection: options.connect().await?, insert: insert.into(), position: 0 })
    }

    /// Inserts copies of `sample` under other keys, [`ROWS`] by each durable statement.
    pub(crate) async fn insert(&mut self, sample: &RecordedEvent, count: usize) -> Outcome<()> {
        for _ in 0..count.div_ceil(ROWS) {
            let mut statement = sqlx::query(AssertSqlSafe(Arc::clone(&self.insert)));
            for stream in (1_i64..).take(ROWS) {
                self.position += 1;
                statement = statement
                    .bind(self.position)
                    .bind(stream)
                    .bind(self.position)
                    .bind(sample.id.as_uuid().as_bytes().to_vec())
                    .bind(sample.event_type.to_string())
                    .bind(sample.schema_version.get())
                    .bind(sample.recorded_at.as_microsecond())
                    .bind(sample.metadata.as_bytes().to_vec())
                    .bind(sample.payload.to_vec());
            }
            statement.execute(&mut self.connection).await?;
        }
        Ok(())
    }

    /// The rows of a stream, undecoded.
    pub(crate) async fn stream(&mut self, name: &str) -> Outcome<Vec<SqliteRow>> {
        let statement = sqlx::query(
            "SELECT position, version, event_id, event_type, schema_version, recorded_at, metadata, payload
             FROM events WHERE stream_id = (SELECT id FROM streams WHERE name = ?) ORDER BY version",
        );
        Ok(statement.bind(name).fetch_all(&mut self.connection).await?)
    }

    pub(crate) async fn close(self) -> Outcome<()> {
        Ok(self.connection.close().await?)
    }
}
