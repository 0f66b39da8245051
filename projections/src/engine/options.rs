//! The limits of a projection, with their units.

use crate::SubscriptionOptions;
use std::time::Duration;

/// Limits of one projection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectionOptions {
    /// Those of its subscription; batches of 4,000 events unless said otherwise.
    pub subscription: SubscriptionOptions,
    /// Rows kept in memory between batches, so that hot ones are not loaded again.
    pub rows_kept: usize,
    /// How often the live generation is looked up, for switches that other instances made.
    pub generation_check: Duration,
    /// How long a replaced generation is kept for readers that do not know yet; well above `generation_check`.
    pub drop_after: Duration,
    /// How often a reader that waits looks at the checkpoint which another instance moves.
    pub wait_poll: Duration,
    /// How long a view that was told to be at a position waits for it, unless said otherwise.
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
