//! Snapshots: the newest of each stream.

use crate::connections::Database;
use crate::rows::{column, unsigned};
use async_trait::async_trait;
use composable_rust_core::port::{Snapshot, SnapshotStore, StoreError};
use composable_rust_core::{SchemaVersion, StreamId, StreamVersion};
use std::sync::Arc;

/// The snapshots of one file.
#[derive(Debug)]
pub(crate) struct Snapshots {
    database: Arc<Database>,
}

impl Snapshots {
    pub(crate) fn new(database: &Arc<Database>) -> Self {
        Self { database: Arc::clone(database) }
    }
}

#[async_trait]
impl SnapshotStore for Snapshots {
    async fn load_snapshot(&self, stream: &StreamId) -> Result<Option<Snapshot>, StoreError> {
        let mut read = self.database.read("load a snapshot").await?;
        let statement = sqlx::query("SELECT version, schema_version, state FROM snapshots WHERE stream = ?")
            .bind(stream.as_str());
        let Some(row) = read.first(statement).await? else { return Ok(None) };
        Ok(Some(Snapshot {
            version: StreamVersion::from_i64(column(&row, 0)?),
            schema: SchemaVersion::new(unsigned(&row, 1)?),
            state: column::<Vec<u8>>(&row, 2)?.into(),
        }))
    }

    async fn save_snapshot(&self, stream: &StreamId, snapshot: Snapshot) -> Result<(), StoreError> {
        let statement = sqlx::query(
            "INSERT INTO snapshots (stream, version, schema_version, state) VALUES (?, ?, ?, ?)
             ON CONFLICT (stream) DO UPDATE SET
                 version = excluded.version, schema_version = excluded.schema_version, state = excluded.state
             WHERE excluded.version >= version OR excluded.schema_version <> schema_version",
        )
        .bind(stream.as_str())
        .bind(snapshot.version.as_i64())
        .bind(snapshot.schema.get())
        .bind(snapshot.state.to_vec());
        self.database.write_behind("save a snapshot").await?.finish(statement).await.map(drop)
    }
}
