//! Limits of running processes.

use composable_rust_projections::FailurePolicy;
use std::time::Duration;

/// Limits of one process's runner. How it follows the log (batches, leases, pauses) is said by
/// [`ApplicationOptions::subscriptions`](crate::ApplicationOptions::subscriptions).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessOptions {
    /// Most instances of which the state is kept in memory. Default 10,000.
    pub cached_instances: usize,
    /// Most events that are turned into steps at the same time, each of another instance. Default 64.
    pub concurrent_steps: usize,
    /// Most commands and activities under way at the same time. Default 256.
    pub concurrent_work: usize,
    /// How often timers are looked at without a wake-up, for those that other instances set. Default 1 s.
    pub poll_interval: Duration,
    /// Pause after a first failure of storage while working; doubles with each further one. Default 50 ms.
    pub first_pause: Duration,
    /// Longest such pause. Default 10 s.
    pub longest_pause: Duration,
    /// What follows when an input or a piece of work of an instance fails for good: an event, a timer, an answer that
    /// the process cannot take, a command that nobody decides.
    ///
    /// By default (`Park { after: 3 }`) it is parked as a dead letter after three attempts, and everything later of the same instance waits
    /// behind it, in order, until it is retried or discarded: the instances of a process do not depend on each other, so
    /// one order that cannot go on is no reason to keep all others waiting. An event whose payload cannot be read does not
    /// say which instance it concerns, so it is parked with the later events of its own stream.
    ///
    /// [`FailurePolicy::Stop`] ends the process in this application with the error in its progress, and changes nothing.
    /// So does, under either policy, an event of a type or version that this code does not know: the process gives up
    /// its leases, and an instance with newer code goes on.
    pub failure_policy: FailurePolicy,
}

impl Default for ProcessOptions {
    fn default() -> Self {
        Self {
            cached_instances: 10_000,
            concurrent_steps: 64,
            concurrent_work: 256,
            poll_interval: Duration::from_secs(1),
            first_pause: Duration::from_millis(50),
            longest_pause: Duration::from_secs(10),
            failure_policy: FailurePolicy::Park { after: 3 },
        }
    }
}
