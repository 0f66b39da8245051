//! The port of snapshots: a state saved so that a long stream need not be folded again.

use super::StoreError;
use crate::{SchemaVersion, StreamId, StreamVersion};
use async_trait::async_trait;
use bytes::Bytes;
use std::fmt;

/// A state as of a version of its stream. It is a cache: losing it loses nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The version folded into it.
    pub version: StreamVersion,
    /// The version of the state's shape; another shape is ignored and rebuilt.
    pub schema: SchemaVersion,
    /// The encoded state.
    pub state: Bytes,
}

/// Keeps the newest snapshot of each stream.
///
/// # Contract
/// An older snapshot never replaces a newer one of the same schema; one with another schema always replaces.
///
/// # Cancel safety
/// Dropping a future leaves a snapshot saved whole or not at all; saving it again does no harm.
#[async_trait]
pub trait SnapshotStore: fmt::Debug + Send + Sync {
    /// The newest snapshot, if there is one.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed.
    async fn load_snapshot(&self, stream: &StreamId) -> Result<Option<Snapshot>, StoreError>;

    /// Keeps `snapshot` unless a newer one is there.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed.
    async fn save_snapshot(&self, stream: &StreamId, snapshot: Snapshot) -> Result<(), StoreError>;
}
