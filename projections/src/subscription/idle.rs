//! Waiting: for new events, for another attempt; always through the clock and the signal.

use super::follow::{Ended, Follow};
use super::{HandleError, SubscriptionError};
use crate::Dependencies;
use composable_rust_core::Position;
use composable_rust_core::describe;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Waits for `duration`, or until told to shut down.
pub(super) async fn pause(deps: &Dependencies, shutdown: &CancellationToken, duration: Duration) {
    tokio::select! {
        biased;
        () = shutdown.cancelled() => {}
        () = deps.environment.clock.sleep(duration) => {}
    }
}

impl Follow<'_> {
    /// Waits until there may be something to do. `announced` is what the log's signal said before the last read.
    pub(super) async fn idle(&mut self, announced: Position) {
        let target = announced.max(self.position).next();
        let wait = if announced > self.position {
            self.options.reread_interval
        } else if self.saved < self.position {
            self.options.lazy_checkpoint.min(self.options.poll_interval)
        } else {
            self.options.poll_interval
        };
        tokio::select! {
            biased;
            () = self.shutdown.cancelled() => {}
            () = self.monitor.nudged() => self.parked_checked_at = None,
            () = self.deps.storage.events.signal().reached(target) => {}
            () = self.deps.environment.clock.sleep(wait) => {}
        }
    }

    /// After a failure: waits before the next attempt, or ends where another attempt is pointless.
    pub(super) async fn back_off(&mut self, error: HandleError, failures: u32) -> Result<(), Ended> {
        let error = match error {
            HandleError::Fenced => return Err(Ended::Fenced),
            HandleError::Fatal(source) => return Err(self.failed(source)),
            HandleError::Transient(_) | HandleError::Poison { .. } => error,
        };
        let name = self.monitor.name();
        tracing::warn!(subscription = name, failures, error = &error as &dyn std::error::Error);
        self.monitor.failed(Some(describe(&error)));
        pause(self.deps, self.shutdown, self.options.backoff.pause(failures, &self.deps.environment)).await;
        if self.shutdown.is_cancelled() { Err(Ended::Shutdown) } else { Ok(()) }
    }

    /// The end of a subscription that failed for good.
    pub(super) fn failed(&self, source: super::BoxError) -> Ended {
        let subscription = self.monitor.name().to_owned();
        Ended::Failed(SubscriptionError::Failed { subscription, source })
    }
}
