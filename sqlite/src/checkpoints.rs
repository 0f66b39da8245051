//! Checkpoints: how far each subscription has come. Read models save theirs with their rows (`read_models`).

use crate::connections::Database;
use crate::rows::{column, signed};
use async_trait::async_trait;
use composable_rust_core::Position;
use composable_rust_core::port::{Checkpoint, CheckpointStore, StoreError};
use std::sync::Arc;

/// The checkpoints of one file.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    database: Arc<Database>,
}

impl Checkpoints {
    pub(crate) fn new(database: &Arc<Database>) -> Self {
        Self { database: Arc::clone(database) }
    }
}

#[async_trait]
impl CheckpointStore for Checkpoints {
    async fn load_checkpoint(&self, subscription: &str) -> Result<Position, StoreError> {
        let statement =
            sqlx::query("SELECT position FROM checkpoints WHERE subscription = ?").bind(subscription);
        match self.database.read("load a checkpoint").await?.first(statement).await? {
            Some(row) => Ok(Position::from_i64(column(&row, 0)?)),
            None => Ok(Position::ZERO),
        }
    }

    async fn save_checkpoint(&self, checkpoint: Checkpoint) -> Result<(), StoreError> {
        let statement = sqlx::query(
            "INSERT INTO checkpoints (subscription, position, fence) VALUES (?, ?, ?)
             ON CONFLICT (subscription) DO UPDATE SET
                 position = max(position, excluded.position), fence = excluded.fence
             WHERE excluded.fence >= fence RETURNING 1",
        )
        .bind(checkpoint.subscription.as_str())
        .bind(checkpoint.position.as_i64())
        .bind(signed(checkpoint.fence));
        let saved = self.database.write_behind("save a checkpoint").await?.finish(statement).await?;
        if saved.is_empty() { Err(StoreError::Fenced { work: checkpoint.subscription }) } else { Ok(()) }
    }
}
