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
    /// The fence of the lease under which it was done; an older one than saved before is refused.
    pub fence: u64,
}

/// Keeps checkpoints.
///
/// # Contract
/// A checkpoint never moves backwards (a lower position is accepted and changes nothing) and a lower fence than the
/// saved one is refused with [`StoreError::Fenced`].
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
