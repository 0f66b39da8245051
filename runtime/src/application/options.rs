//! Limits of an application.

use crate::command::CommandOptions;
use crate::process::ProcessOptions;
use crate::relay::RelayOptions;
use composable_rust_projections::{ProjectionOptions, SubscriptionOptions};
use std::time::Duration;

/// Limits of an application, each with its unit.
#[derive(Debug, Clone)]
pub struct ApplicationOptions {
    /// Command handling.
    pub commands: CommandOptions,
    /// Subscriptions of processes and the relay.
    pub subscriptions: SubscriptionOptions,
    /// Projections.
    pub projections: ProjectionOptions,
    /// Processes.
    pub processes: ProcessOptions,
    /// The relay to the bus.
    pub relay: RelayOptions,
    /// How long a shutdown may take; each part of it that is reached later has a second all the same.
    pub drain_timeout: Duration,
    /// From how many unread events on a projection counts as degraded.
    pub lag_limit: u64,
    /// Notices kept for a listener; one that is further behind has lagged.
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
