//! The link between decisions that were made on states not flushed yet.

use std::sync::atomic::{AtomicBool, Ordering};

/// All appends that were decided on one loaded state, one after the other. When one of them fails the states after it
/// never existed, so all later ones must be decided again. The version check alone would not see that: other events
/// may have brought the stream to the same number.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    broken: AtomicBool,
}

impl Chain {
    /// Whether an append on it has failed.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }

    pub(super) fn break_off(&self) {
        self.broken.store(true, Ordering::Release);
    }
}
