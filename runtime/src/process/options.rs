//! Limits of running processes.

use std::time::Duration;

/// Limits of one process's runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessOptions {
    /// Most instances of which the state is kept in memory.
    pub cached_instances: usize,
    /// Most events that are turned into steps at the same time, each of another instance.
    pub concurrent_steps: usize,
    /// Most commands and activities under way at the same time.
    pub concurrent_work: usize,
    /// How often timers are looked at without a wake-up, for those that other instances set.
    pub poll_interval: Duration,
    /// Pause after a first failure of storage while working; doubles with each further one.
    pub first_pause: Duration,
    /// Longest such pause.
    pub longest_pause: Duration,
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
        }
    }
}
