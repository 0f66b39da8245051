//! Virtual time: moves on when every task waits, by tokio's paused clock.

use composable_rust_core::{Clock, later};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use std::time::Duration;
use tokio::time::Instant;

/// A clock on tokio's paused time, perhaps ahead of others.
#[derive(Debug, Clone)]
pub(super) struct VirtualClock {
    epoch: Timestamp,
    started: Instant,
    ahead: Duration,
}

impl VirtualClock {
    /// Shows `epoch` now. Must be made inside the simulation's runtime.
    #[expect(clippy::disallowed_methods, reason = "tokio's paused time is what this clock shows")]
    pub(super) fn starting_at(epoch: Timestamp) -> Self {
        Self { epoch, started: Instant::now(), ahead: Duration::ZERO }
    }

    /// The same time, shown `ahead` too early: the clock of a machine that runs fast.
    pub(super) fn skewed(&self, ahead: Duration) -> Self {
        Self { ahead, ..self.clone() }
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        later(later(self.epoch, self.started.elapsed()), self.ahead)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}
