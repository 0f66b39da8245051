//! The limits of a subscription, with their units.

use composable_rust_core::Environment;
use composable_rust_core::port::PAGE_BYTES;
use std::time::Duration;

/// What follows when an event cannot be handled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FailurePolicy {
    /// Stop at the event: nothing is lost, nothing goes on.
    #[default]
    Stop,
    /// Park it as a dead letter after so many attempts, and with it the later events of its stream. An event of a type
    /// or version that this code does not know stops the subscription all the same: it gives up its lease, so that an
    /// instance with newer code goes on.
    Park {
        /// Attempts in all; 0 counts as 1.
        after: u32,
    },
}

/// Pauses between attempts: doubling, with jitter so that instances do not move in step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The pause after the first failure. Default 50 ms.
    pub first: Duration,
    /// The longest pause. Default 10 s.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(50), longest: Duration::from_secs(10) }
    }
}

impl Backoff {
    /// The pause after `failures` failures in a row (from 1): between half and all of the doubled time.
    pub fn pause(&self, failures: u32, environment: &Environment) -> Duration {
        let doubled = self.first.saturating_mul(1_u32 << failures.saturating_sub(1).min(20));
        doubled.min(self.longest).mul_f64(0.5 + environment.random.next_f64() / 2.0)
    }
}

/// Limits of one subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionOptions {
    /// Most events in a batch. Default 1,000, of projections 4,000.
    pub batch_size: usize,
    /// Bytes of payloads and metadata at which a batch ends, however few events it has. Two batches are in memory at a
    /// time. Default 8 MiB.
    pub batch_bytes: usize,
    /// How often the log is looked at without a signal, for events that other instances appended. Default
    /// 500 ms.
    pub poll_interval: Duration,
    /// How soon it is looked at again when something is announced that cannot be read yet. Default 5 ms.
    pub reread_interval: Duration,
    /// How long a lease lasts; it is renewed at a third of that. Default 5 s.
    pub lease_ttl: Duration,
    /// How often a lease that another holds is asked for. Default 1 s.
    pub lease_retry: Duration,
    /// Pauses between attempts. Default 50 ms, doubling up to 10 s.
    pub backoff: Backoff,
    /// What follows when an event cannot be handled. Default [`FailurePolicy::Stop`]. A process takes its own in place of
    /// this one: `ProcessOptions::failure_policy`.
    pub failure_policy: FailurePolicy,
    /// At most so long is a checkpoint kept unsaved when nothing but foreign events passed, or by a subscriber that
    /// does not save every one. Default 1 s.
    pub lazy_checkpoint: Duration,
    /// How often a subscription with parked streams looks whether they were resolved. Default 1 s.
    pub parked_check: Duration,
}

impl Default for SubscriptionOptions {
    fn default() -> Self {
        Self {
            batch_size: 1000,
            batch_bytes: PAGE_BYTES,
            poll_interval: Duration::from_millis(500),
            reread_interval: Duration::from_millis(5),
            lease_ttl: Duration::from_secs(5),
            lease_retry: Duration::from_secs(1),
            backoff: Backoff::default(),
            failure_policy: FailurePolicy::Stop,
            lazy_checkpoint: Duration::from_secs(1),
            parked_check: Duration::from_secs(1),
        }
    }
}
