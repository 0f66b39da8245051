//! The limits of a store, and what it tells about itself.

/// The limits of one store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOptions {
    /// Effects running at once, those that only wait aside.
    pub max_running_effects: usize,
    /// Effects waiting at once: delays, streams, debounced work, and whatever contains them.
    pub max_waiting_effects: usize,
    /// Effects that have not begun; from so many on, `send` is refused and streams pause.
    pub max_queued_effects: usize,
    /// Workers kept without work, so that an effect need not start one.
    pub max_idle_workers: usize,
    /// Actions kept for an observer; one that is further behind has lagged.
    pub observer_buffer: usize,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            max_running_effects: 256,
            max_waiting_effects: 1024,
            max_queued_effects: 4096,
            max_idle_workers: 16,
            observer_buffer: 1024,
        }
    }
}

/// What a store has done and is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoreStats {
    /// Actions reduced.
    pub actions: u64,
    /// Effects running or waiting now.
    pub running: usize,
    /// Effects that have not begun.
    pub queued: usize,
    /// Effects that panicked.
    pub panics: u64,
    /// Waiting effects given up because the store shut down.
    pub given_up: u64,
}
