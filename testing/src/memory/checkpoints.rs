//! Checkpoints in memory; read models keep theirs in the same table.

use super::MemoryAdapter;
use async_trait::async_trait;
use composable_rust_core::Position;
use composable_rust_core::port::{Checkpoint, CheckpointStore, StoreError};
use std::collections::BTreeMap;

/// Position and fence of each subscription.
#[derive(Debug, Default)]
pub(super) struct CheckpointTable {
    saved: BTreeMap<String, (Position, u64)>,
}

impl CheckpointTable {
    pub(super) fn position(&self, subscription: &str) -> Position {
        self.saved.get(subscription).map_or(Position::ZERO, |(position, _)| *position)
    }

    /// Saves progress; `false` when it is none, and nothing was changed.
    pub(super) fn save(&mut self, checkpoint: Checkpoint) -> Result<bool, StoreError> {
        let (position, fence) = self.saved.get(&checkpoint.subscription).copied().unwrap_or_default();
        if checkpoint.fence < fence {
            return Err(StoreError::Fenced { work: checkpoint.subscription });
        }
        if checkpoint.position <= position {
            return Ok(false);
        }
        self.saved.insert(checkpoint.subscription, (checkpoint.position, checkpoint.fence));
        Ok(true)
    }
}

#[async_trait]
impl CheckpointStore for MemoryAdapter {
    async fn load_checkpoint(&self, subscription: &str) -> Result<Position, StoreError> {
        self.perform("load_checkpoint", |tables, _| tables.checkpoints.position(subscription)).await
    }

    async fn save_checkpoint(&self, checkpoint: Checkpoint) -> Result<(), StoreError> {
        self.perform("save_checkpoint", |tables, _| tables.checkpoints.save(checkpoint).map(|_| ())).await?
    }
}
