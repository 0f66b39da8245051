//! Watching and steering a projection, whatever its types: for health, metrics and the console.

use super::Shared;
use crate::subscription::SubscriptionState;
use crate::{Monitor, Progress, RetryOutcome, retry_dead_letter, subscription_name};
use composable_rust_core::DeadLetterId;
use composable_rust_core::port::StoreError;
use std::sync::Arc;
use std::time::Duration;

/// How far a projection has come.
#[derive(Debug, Clone, PartialEq)]
pub struct ProjectionProgress {
    /// The projection's name.
    pub name: &'static str,
    /// The generation that readers use, if it is known.
    pub live_generation: Option<u32>,
    /// How far the live generation has come; `None` when it is not of this code's definition, or nothing runs here.
    pub live: Option<Progress>,
    /// The generation being built to replace it, and how far it has come.
    pub building: Option<(u32, Progress)>,
    /// Why the projection as a whole does not run.
    pub failure: Option<String>,
}

/// A projection's controls; cheap to clone.
#[derive(Debug, Clone)]
pub struct ProjectionControl {
    pub(super) shared: Arc<Shared>,
}

impl ProjectionControl {
    /// The projection's name.
    pub fn name(&self) -> &'static str {
        self.shared.name
    }

    /// How far it has come, as this instance knows.
    pub fn progress(&self) -> ProjectionProgress {
        progress(&self.shared)
    }

    /// Builds the next generation beside the live one and switches when it has caught up; answers its number, for which
    /// [`Self::switched`] waits. When one is being built already, that goes on.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed; call again. After a shutdown it says so.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the rebuild ordered or not.
    pub async fn rebuild(&self) -> Result<u32, StoreError> {
        self.shared.not_stopped("order a rebuild")?;
        let generation = self.shared.make_next().await?;
        self.shared.wake.notify_one();
        Ok(generation)
    }

    /// Waits until readers use `generation`, which [`Self::rebuild`] answered, or a newer one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] with the cause when the rebuild stopped with an error, which [`Self::resume`] starts
    /// again, and when the application shuts down, after which the next start goes on with it.
    ///
    /// # Cancel safety
    /// Dropping the future stops the waiting, not the rebuild.
    pub async fn switched(&self, generation: u32) -> Result<(), StoreError> {
        let doing = "wait for a rebuild";
        loop {
            let changed = self.shared.switched.listen();
            if self.shared.seen_live().is_some_and(|live| live.generation >= generation) {
                return Ok(());
            }
            self.shared.not_stopped(doing)?;
            let monitor = self.shared.monitor(generation);
            let progress = monitor.as_ref().map(Monitor::progress);
            let resumes = monitor.as_ref().is_some_and(Monitor::is_to_resume);
            let stopped =
                progress.filter(|progress| progress.state == SubscriptionState::Stopped && !resumes);
            if let Some(failure) = stopped.and_then(|progress| progress.last_error).or(self.shared.failure())
            {
                return Err(StoreError::unavailable(doing, failure));
            }
            tokio::select! {
                biased;
                () = changed => {}
                () = self.shared.stop().cancelled() => {}
                () = stops(monitor.filter(|_| !resumes)) => {}
            }
        }
    }

    /// Starts generations that stopped with an error again.
    pub fn resume(&self) {
        for monitor in self.shared.monitors().into_values() {
            monitor.ask_to_resume();
        }
        self.shared.wake.notify_one();
    }

    /// The subscription of the live generation, under which its dead letters are kept.
    pub fn subscription(&self) -> Option<String> {
        self.shared.seen_live().map(|live| subscription_name(self.shared.name, live.generation))
    }

    /// Retries a dead letter of the live generation: see [`retry_dead_letter`].
    ///
    /// # Errors
    /// [`StoreError`] when the store failed.
    ///
    /// # Cancel safety
    /// Dropping the future stops the waiting, not the retry.
    pub async fn retry(
        &self,
        id: DeadLetterId,
        by: &str,
        patience: Duration,
    ) -> Result<RetryOutcome, StoreError> {
        self.shared.not_stopped("retry a dead letter")?;
        let live = self.shared.seen_live();
        match live.and_then(|live| self.shared.monitor(live.generation)) {
            Some(monitor) => retry_dead_letter(&self.shared.deps, &monitor, id, by, patience).await,
            None => Ok(RetryOutcome::NotPending),
        }
    }
}

/// Completes when the generation stops with an error.
async fn stops(monitor: Option<Monitor>) {
    match monitor {
        Some(monitor) => monitor.state_is(|state| state == SubscriptionState::Stopped).await,
        None => std::future::pending().await,
    }
}

pub(crate) fn progress(shared: &Shared) -> ProjectionProgress {
    let live_generation = shared.seen_live().map(|live| live.generation);
    let mut progress = ProjectionProgress {
        name: shared.name,
        live_generation,
        live: None,
        building: None,
        failure: shared.failure(),
    };
    for (generation, monitor) in shared.monitors() {
        if Some(generation) == live_generation {
            progress.live = Some(monitor.progress());
        } else if live_generation.is_none_or(|live| generation > live) {
            progress.building = Some((generation, monitor.progress()));
        }
    }
    progress
}
