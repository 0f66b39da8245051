//! All storage ports of one application together, and how they are opened.

use super::{
    CheckpointStore, DeadLetterQueue, EventStore, LeaseStore, ReadModelStore, SnapshotStore, StoreError,
    TimerStore,
};
use crate::Environment;
use async_trait::async_trait;
use futures_util::future::BoxFuture;
use std::fmt;
use std::sync::Arc;

/// The opened storage of an application. Timers live with the events; the rest may be elsewhere.
#[derive(Clone)]
pub struct Storage {
    /// The log.
    pub events: Arc<dyn EventStore>,
    /// Snapshots.
    pub snapshots: Arc<dyn SnapshotStore>,
    /// Timers.
    pub timers: Arc<dyn TimerStore>,
    /// Read models.
    pub views: Arc<dyn ReadModelStore>,
    /// Checkpoints.
    pub checkpoints: Arc<dyn CheckpointStore>,
    /// Leases.
    pub leases: Arc<dyn LeaseStore>,
    /// Dead letters.
    pub dead_letters: Arc<dyn DeadLetterQueue>,
    /// Closes files and connections; nothing may be called after it.
    pub close: Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>,
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Storage").field("events", &self.events).finish_non_exhaustive()
    }
}

/// Opens storage when the application starts.
///
/// # Cancel safety
/// Dropping the future leaves nothing open; files that it made or migrated stay, and opening again goes on from there.
#[async_trait]
pub trait OpenStorage: fmt::Debug + Send + Sync {
    /// Connects, migrates and checks.
    ///
    /// # Errors
    /// [`StoreError::Setup`] with what to do, or [`StoreError::Unavailable`].
    async fn open(&self, environment: &Environment) -> Result<Storage, StoreError>;
}
