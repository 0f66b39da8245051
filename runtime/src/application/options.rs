//! Limits of an application.

use crate::command::CommandOptions;
use crate::process::ProcessOptions;
use crate::relay::RelayOptions;
use composable_rust_projections::{ProjectionOptions, SubscriptionOptions};
use std::time::Duration;

/// Limits of an application, each with its unit.
///
/// Who follows the log has its limits at one of three places:
///
/// | what | how it follows (batches, leases, pauses) | when an event cannot be handled |
/// |---|---|---|
/// | processes | `subscriptions` | `processes.failure_policy`: parked after three attempts |
/// | projections | `projections.subscription` | `projections.subscription.failure_policy`: stops |
/// | the relay | `subscriptions` | `subscriptions.failure_policy`: stops |
///
/// `subscriptions` does not touch projections, and its `failure_policy` does not touch processes.
#[derive(Debug, Clone)]
pub struct ApplicationOptions {
    /// Command handling.
    pub commands: CommandOptions,
    /// How processes and the relay follow the log, and the relay's `failure_policy`. See the table above for what it does
    /// not govern.
    pub subscriptions: SubscriptionOptions,
    /// Projections: in `subscription` how they follow the log and their `failure_policy`.
    pub projections: ProjectionOptions,
    /// Processes: their work, timers and `failure_policy`.
    pub processes: ProcessOptions,
    /// The relay to the bus.
    pub relay: RelayOptions,
    /// How long a shutdown may take; each part of it that is reached later has a second all the same.
    /// Default 30 s.
    pub drain_timeout: Duration,
    /// From how many unread events on a projection counts as degraded. Default 1,000.
    pub lag_limit: u64,
    /// Notices kept for a listener; one that is further behind has lagged. Default 1,024.
    pub notice_buffer: usize,
}

impl Default for ApplicationOptions {
    fn default() -> Self {
        Self {
            commands: CommandOptions::default(),
            subscriptions: SubscriptionOptions::default(),
            projections: ProjectionOptions::default(),
            processes: ProcessOptions::default(),
            relay: RelayOptions::default(),
            drain_timeout: Duration::from_secs(30),
            lag_limit: 1_000,
            notice_buffer: 1_024,
        }
    }
}
