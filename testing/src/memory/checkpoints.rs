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

    /// Refuses a fence that is lower than the saved one.
    pub(super) fn check(&self, subscription: &str, fence: u64) -> Result<(), StoreError> {
        match self.saved.get(subscription) {
            Some((_, saved)) if fence < *saved => Err(StoreError::Fenced { work: subscription.to_owned() }),
            Some(_) | None => Ok(()),
        }
    }

    /// Saves position and fence, neither of which falls; `false` when the position is no progress.
    pub(super) fn save(&mut self, checkpoint: Checkpoint) -> Result<bool, StoreError> {
        self.check(&checkpoint.subscription, checkpoint.fence)?;
        let (position, fence) = self.saved.entry(checkpoint.subscription).or_default();
        let is_progress = checkpoint.position > *position;
        (*position, *fence) = (checkpoint.position.max(*position), checkpoint.fence);
        Ok(is_progress)
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
