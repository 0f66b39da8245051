//! Checkpoints: how far each subscription has come. Read models save theirs with their rows (`read_models`).

use crate::connections::Database;
use crate::rows::{Statement, column, signed};
use async_trait::async_trait;
use composable_rust_core::Position;
use composable_rust_core::port::{Checkpoint, CheckpointStore, StoreError};
use std::sync::Arc;

/// The checkpoints of one database.
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
            sqlx::query("SELECT position FROM checkpoints WHERE subscription = $1").bind(subscription);
        match self.database.first("load a checkpoint", statement).await? {
            Some(row) => Ok(Position::from_i64(column(&row, 0)?)),
            None => Ok(Position::ZERO),
        }
    }

    async fn save_checkpoint(&self, checkpoint: Checkpoint) -> Result<(), StoreError> {
        let rows = self.database.all("save a checkpoint", save(&checkpoint)).await?;
        let fenced = rows.first().map_or(Ok(false), |row| column(row, 1))?;
        if fenced { Err(StoreError::Fenced { work: checkpoint.subscription }) } else { Ok(()) }
    }
}

/// The statement that saves a checkpoint: it answers the position saved before and whether a newer holder has saved.
pub(crate) fn save(checkpoint: &Checkpoint) -> Statement<'_> {
    sqlx::query("SELECT saved, fenced FROM save_checkpoint($1, $2, $3)")
        .bind(checkpoint.subscription.as_str())
        .bind(checkpoint.position.as_i64())
        .bind(signed(checkpoint.fence))
}
