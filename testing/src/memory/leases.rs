//! Leases in memory.

use super::MemoryAdapter;
use async_trait::async_trait;
use composable_rust_core::later;
use composable_rust_core::port::{Lease, LeaseStore, StoreError};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// The newest lease on each work, with whether it was given up; its fence is kept for ever.
#[derive(Debug, Default)]
pub(super) struct LeaseTable {
    granted: BTreeMap<String, (Lease, bool)>,
}

impl LeaseTable {
    fn acquire(&mut self, work: &str, holder: &str, now: Timestamp, until: Timestamp) -> Option<Lease> {
        let fence = match self.granted.get(work) {
            None => 1,
            Some((last, released)) if *released || last.until <= now => last.fence + 1,
            Some((current, _)) if current.holder == holder => current.fence,
            Some(_) => return None,
        };
        let lease = Lease { work: work.to_owned(), holder: holder.to_owned(), fence, until };
        self.granted.insert(work.to_owned(), (lease.clone(), false));
        Some(lease)
    }

    fn release(&mut self, lease: &Lease) {
        if let Some((current, released)) = self.granted.get_mut(&lease.work)
            && current.holder == lease.holder
            && current.fence == lease.fence
        {
            *released = true;
        }
    }
}

#[async_trait]
impl LeaseStore for MemoryAdapter {
    async fn acquire(&self, work: &str, holder: &str, ttl: Duration) -> Result<Option<Lease>, StoreError> {
        self.perform("acquire", |tables, now| tables.leases.acquire(work, holder, now, later(now, ttl))).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.perform("release", |tables, _| tables.leases.release(lease)).await
    }
}
