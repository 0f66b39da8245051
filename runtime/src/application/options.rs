//! Limits of an application.

use crate::command::CommandOptions;
use crate::process::ProcessOptions;
use composable_rust_projections::SubscriptionOptions;
use std::time::Duration;

/// Limits of an application, each with its unit.
#[derive(Debug, Clone)]
pub struct ApplicationOptions {
    /// Command handling.
    pub commands: CommandOptions,
    /// Subscriptions: processes, projections and the relay.
    pub subscriptions: SubscriptionOptions,
    /// Processes.
    pub processes: ProcessOptions,
    /// How long a shutdown may take.
    pub drain_timeout: Duration,
    /// From how many unread events on a projection counts as degraded.
    pub lag_limit: u64,
}

impl Default for ApplicationOptions {
    fn default() -> Self {
        Self {
            commands: CommandOptions::default(),
            subscriptions: SubscriptionOptions::default(),
            processes: ProcessOptions::default(),
            drain_timeout: Duration::from_secs(30),
            lag_limit: 1_000,
        }
    }
}
