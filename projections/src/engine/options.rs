//! The limits of a projection, with their units.

use crate::SubscriptionOptions;
use std::time::Duration;

/// Limits of one projection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectionOptions {
    /// How it follows the log, and what follows when an event cannot be projected (`failure_policy`; default
    /// [`FailurePolicy::Stop`](crate::FailurePolicy::Stop)). The defaults are those of [`SubscriptionOptions`], with batches
    /// of 4,000 events.
    pub subscription: SubscriptionOptions,
    /// Rows kept in memory between batches, so that hot ones are not loaded again. Default 20,000.
    pub rows_kept: usize,
    /// How often the live generation is looked up, for switches that other instances made. Default 5 s.
    pub generation_check: Duration,
    /// How long a replaced generation is kept for readers that do not know yet; well above `generation_check`.
    /// Default 30 s.
    pub drop_after: Duration,
    /// How often a reader that waits looks at the checkpoint which another instance moves. Default 25 ms.
    pub wait_poll: Duration,
    /// How long a view that was told to be at a position waits for it, unless said otherwise. Default 5 s.
    pub wait_timeout: Duration,
}

impl Default for ProjectionOptions {
    fn default() -> Self {
        Self {
            subscription: SubscriptionOptions { batch_size: 4000, ..SubscriptionOptions::default() },
            rows_kept: 20_000,
            generation_check: Duration::from_secs(5),
            drop_after: Duration::from_secs(30),
            wait_poll: Duration::from_millis(25),
            wait_timeout: Duration::from_secs(5),
        }
    }
}
