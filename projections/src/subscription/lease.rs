//! Holding a lease: taken when free, renewed while the work goes on, given up at its end.
//!
//! For work that must run in one instance at a time; subscriptions use it, and so may timers and other jobs.

use super::SubscriptionOptions;
use crate::Dependencies;
use composable_rust_core::elapsed;
use composable_rust_core::port::{Lease, StoreError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How one piece of work is leased.
#[derive(Debug, Clone)]
pub struct Leasing {
    /// The work's name.
    pub work: String,
    /// How long a lease lasts; it is renewed at a third of that.
    pub ttl: Duration,
    /// How often a lease that another holds is asked for.
    pub retry: Duration,
}

impl Leasing {
    /// The lease of the work `name` with the times of `options`.
    pub fn new(name: impl Into<String>, options: &SubscriptionOptions) -> Self {
        Self { work: name.into(), ttl: options.lease_ttl, retry: options.lease_retry }
    }

    /// Asks once for the lease; `None` when another holds it or the store failed, which is logged.
    ///
    /// # Cancel safety
    /// A dropped future may leave a lease taken; it ends after its time.
    pub async fn try_acquire(&self, deps: &Dependencies) -> Option<Lease> {
        self.ask(deps).await.unwrap_or_default()
    }

    /// As [`Self::try_acquire`], for callers that show the failure.
    pub(super) async fn ask(&self, deps: &Dependencies) -> Result<Option<Lease>, StoreError> {
        let asked = deps.storage.leases.acquire(&self.work, &deps.holder, self.ttl).await;
        if let Err(error) = &asked {
            let error = error as &dyn std::error::Error;
            tracing::warn!(work = self.work, error, "lease not acquired");
        }
        asked
    }

    /// Waits for the lease; `None` when told to shut down.
    ///
    /// # Cancel safety
    /// As [`Self::try_acquire`].
    pub async fn acquire(&self, deps: &Dependencies, shutdown: &CancellationToken) -> Option<Lease> {
        loop {
            if shutdown.is_cancelled() {
                return None;
            }
            if let Some(lease) = self.try_acquire(deps).await {
                return Some(lease);
            }
            self.pause(deps, shutdown).await;
        }
    }

    /// Waits until the lease should be asked for again, or until told to shut down.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn pause(&self, deps: &Dependencies, shutdown: &CancellationToken) {
        let jittered = self.retry.mul_f64(0.75 + deps.environment.random.next_f64() / 4.0);
        tokio::select! {
            biased;
            () = shutdown.cancelled() => {}
            () = deps.environment.clock.sleep(jittered) => {}
        }
    }

    /// Renews `lease` until it is lost; run it beside the work and drop the work when it completes.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn keep(&self, deps: &Dependencies, lease: &Lease) {
        let clock = &deps.environment.clock;
        let mut renewed_at = clock.now();
        let mut wait = self.ttl / 3;
        loop {
            clock.sleep(wait).await;
            let asked_at = clock.now();
            match deps.storage.leases.acquire(&self.work, &deps.holder, self.ttl).await {
                Ok(Some(renewed)) if renewed.fence == lease.fence => {
                    (renewed_at, wait) = (asked_at, self.ttl / 3);
                }
                Ok(_) => return,
                Err(_) if elapsed(renewed_at, clock.now()) >= self.ttl => return,
                Err(_) => wait = self.ttl / 10,
            }
        }
    }

    /// Gives the lease up; a failure is logged, the lease then ends after its time.
    ///
    /// # Cancel safety
    /// As [`Self::try_acquire`].
    pub async fn release(&self, deps: &Dependencies, lease: &Lease) {
        if let Err(error) = deps.storage.leases.release(lease).await {
            tracing::warn!(work = self.work, error = &error as &dyn std::error::Error, "lease not released");
        }
    }
}
