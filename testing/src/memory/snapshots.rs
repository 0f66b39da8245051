//! Snapshots in memory.

use super::MemoryAdapter;
use async_trait::async_trait;
use composable_rust_core::StreamId;
use composable_rust_core::port::{Snapshot, SnapshotStore, StoreError};
use std::collections::BTreeMap;

/// The newest snapshot of each stream.
#[derive(Debug, Default)]
pub(super) struct SnapshotTable {
    newest: BTreeMap<StreamId, Snapshot>,
}

#[async_trait]
impl SnapshotStore for MemoryAdapter {
    async fn load_snapshot(&self, stream: &StreamId) -> Result<Option<Snapshot>, StoreError> {
        self.perform("load_snapshot", |tables, _| tables.snapshots.newest.get(stream).cloned()).await
    }

    async fn save_snapshot(&self, stream: &StreamId, snapshot: Snapshot) -> Result<(), StoreError> {
        self.perform("save_snapshot", |tables, _| {
            let newest = &mut tables.snapshots.newest;
            let newer = |kept: &Snapshot| kept.schema == snapshot.schema && kept.version > snapshot.version;
            if !newest.get(stream).is_some_and(newer) {
                newest.insert(stream.clone(), snapshot);
            }
        })
        .await
    }
}
