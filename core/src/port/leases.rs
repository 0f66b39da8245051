//! The port of leases: work that must run in one instance at a time.

use super::StoreError;
use async_trait::async_trait;
use jiff::Timestamp;
use std::fmt;
use std::time::Duration;

/// The right to do some work until it ends or is renewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The work.
    pub work: String,
    /// Who holds it: a name unique to the instance's run.
    pub holder: String,
    /// Grows with each new holder; a write with an older fence is refused.
    pub fence: u64,
    /// When it ends, by the store's clock.
    pub until: Timestamp,
}

/// Grants leases.
///
/// # Contract
/// - At any moment one holder at most has a lease on a work, by the store's clock.
/// - The fence grows each time the work changes hands, also after a release and after a restart of the store.
/// - A restart frees no lease, unless the store knows that no holder is left: one that a single process has open.
///
/// # Cancel safety
/// A dropped [`Self::acquire`] may have been granted: its holder may ask again at once, others when its time is up. A
/// dropped release took place or not.
#[async_trait]
pub trait LeaseStore: fmt::Debug + Send + Sync {
    /// Takes the lease when it is free, has ended, or is held by `holder` already (then it is prolonged and keeps its
    /// fence). `None` when another holds it.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed.
    async fn acquire(&self, work: &str, holder: &str, ttl: Duration) -> Result<Option<Lease>, StoreError>;

    /// Gives the lease up early; one that has passed on is left alone.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed.
    async fn release(&self, lease: &Lease) -> Result<(), StoreError>;
}
