//! Snapshots: the newest of each stream.

use crate::connections::Database;
use crate::rows::{column, unsigned};
use async_trait::async_trait;
use composable_rust_core::port::{Snapshot, SnapshotStore, StoreError};
use composable_rust_core::{SchemaVersion, StreamId, StreamVersion};
use std::sync::Arc;

/// The snapshots of one database.
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
        let statement = sqlx::query("SELECT version, schema_version, state FROM snapshots WHERE stream = $1")
            .bind(stream.as_str());
        let Some(row) = self.database.first("load a snapshot", statement).await? else { return Ok(None) };
        Ok(Some(Snapshot {
            version: StreamVersion::from_i64(column(&row, 0)?),
            schema: SchemaVersion::new(unsigned(&row, 1)?),
            state: column::<Vec<u8>>(&row, 2)?.into(),
        }))
    }

    async fn save_snapshot(&self, stream: &StreamId, snapshot: Snapshot) -> Result<(), StoreError> {
        let statement = sqlx::query(
            "INSERT INTO snapshots AS s (stream, version, schema_version, state) VALUES ($1, $2, $3, $4)
             ON CONFLICT (stream) DO UPDATE SET
                 version = excluded.version, schema_version = excluded.schema_version, state = excluded.state
             WHERE excluded.version >= s.version OR excluded.schema_version <> s.schema_version",
        )
        .bind(stream.as_str())
        .bind(snapshot.version.as_i64())
        .bind(i64::from(snapshot.schema.get()))
        .bind(&*snapshot.state);
        self.database.all("save a snapshot", statement).await.map(drop)
    }
}
