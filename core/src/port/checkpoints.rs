//! The port of checkpoints: how far a subscription has come.

use super::StoreError;
use crate::Position;
use async_trait::async_trait;
use std::fmt;

/// Progress of a subscription to be saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The subscription.
    pub subscription: String,
    /// Everything up to here is done.
    pub position: Position,
    /// The fence of the lease under which it was done; a lower one than any saved before is refused.
    pub fence: u64,
}

/// Keeps checkpoints.
///
/// # Contract
/// - A position never moves backwards: one at or before the saved one is accepted and does not move it.
/// - The fence never falls: a lower one than the saved is refused with [`StoreError::Fenced`], whatever the position; a
///   higher one is saved, also where the position does not move. So a new holder that saves its fence at
///   [`Position::ZERO`] shuts earlier ones out before it has done anything, and where it goes on from is what it loads
///   after that.
///
/// # Cancel safety
/// Dropping a future leaves the checkpoint saved or not; saving it again does no harm.
#[async_trait]
pub trait CheckpointStore: fmt::Debug + Send + Sync {
    /// How far the subscription has come; zero if it never ran.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed.
    async fn load_checkpoint(&self, subscription: &str) -> Result<Position, StoreError>;

    /// Saves progress.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when a newer holder has saved, else [`StoreError`] when the store failed.
    async fn save_checkpoint(&self, checkpoint: Checkpoint) -> Result<(), StoreError>;
}
