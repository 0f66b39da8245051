//! What the runner, its views and its control share within one instance.

use super::{ProjectionOptions, definition};
use crate::{Dependencies, Leasing, Monitor, subscription::SubscriptionState};
use composable_rust_core::port::{ReadModel, StoreError};
use composable_rust_core::{Projection, Row, elapsed};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The generation that readers use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Live {
    pub(crate) generation: u32,
    pub(crate) definition: String,
}

/// One projection within one instance.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) name: &'static str,
    pub(crate) definition: String,
    pub(crate) indexes: Vec<String>,
    pub(crate) deps: Dependencies,
    pub(crate) options: ProjectionOptions,
    /// Serialises what changes generations within the instance; the lease does so between instances.
    pub(super) administration: tokio::sync::Mutex<()>,
    /// Wakes the runner.
    pub(super) wake: Notify,
    /// Announces another live generation, a new monitor and a failure.
    pub(crate) switched: event_listener::Event,
    /// Counts when rows may have changed, in any generation.
    pub(crate) changes: Arc<AtomicU64>,
    /// Told when the application shuts down; then nothing is waited for.
    stop: CancellationToken,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    live: Option<Live>,
    checked_at: Option<Timestamp>,
    running: bool,
    monitors: BTreeMap<u32, Monitor>,
    failure: Option<String>,
}

impl Shared {
    pub(crate) fn new<P: Projection>(deps: Dependencies, options: ProjectionOptions) -> Self {
        Self {
            name: P::NAME,
            definition: definition::<P>(),
            indexes: P::Row::indexes().iter().map(ToString::to_string).collect(),
            deps,
            options,
            administration: tokio::sync::Mutex::new(()),
            wake: Notify::new(),
            switched: event_listener::Event::new(),
            changes: Arc::default(),
            stop: CancellationToken::new(),
            state: Mutex::default(),
        }
    }

    pub(crate) fn model(&self, generation: u32) -> ReadModel {
        ReadModel { name: self.name.to_owned(), generation, indexes: self.indexes.clone() }
    }

    /// The lease under which generations are made, switched and dropped.
    pub(super) fn leasing(&self) -> Leasing {
        Leasing::new(format!("projection:{}", self.name), &self.options.subscription)
    }

    /// The live generation: as last seen while a runner here keeps looking, else looked up when that was long ago.
    pub(crate) async fn live(&self) -> Result<Option<Live>, StoreError> {
        {
            let now = self.deps.environment.now();
            let state = self.state();
            let fresh = state.running
                || state.checked_at.is_some_and(|at| elapsed(at, now) < self.options.generation_check);
            if fresh && state.live.is_some() {
                return Ok(state.live.clone());
            }
        }
        self.look_up_live().await
    }

    /// The live generation as the store has it.
    pub(super) async fn look_up_live(&self) -> Result<Option<Live>, StoreError> {
        let found = self.deps.storage.views.live_generation(self.name).await?;
        let live = found.map(|(generation, definition)| Live { generation, definition });
        self.set_live(live.clone());
        Ok(live)
    }

    pub(super) fn set_live(&self, live: Option<Live>) {
        let now = self.deps.environment.now();
        let mut state = self.state();
        state.checked_at = Some(now);
        if state.live != live {
            state.live = live;
            drop(state);
            self.switched.notify(usize::MAX);
        }
    }

    pub(super) fn seen_live(&self) -> Option<Live> {
        self.state().live.clone()
    }

    pub(super) fn set_running(&self, running: bool) {
        self.state().running = running;
    }

    pub(super) fn set_stopped(&self) {
        self.stop.cancel();
    }

    /// Cancelled at the shutdown.
    pub(super) fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// # Errors
    /// [`StoreError::Unavailable`] after the shutdown.
    pub(super) fn not_stopped(&self, doing: &'static str) -> Result<(), StoreError> {
        if self.stop.is_cancelled() {
            return Err(StoreError::unavailable(doing, "its application was shut down"));
        }
        Ok(())
    }

    /// The monitor of a generation that this instance maintains or stands by for.
    pub(crate) fn monitor(&self, generation: u32) -> Option<Monitor> {
        self.state().monitors.get(&generation).cloned()
    }

    pub(super) fn monitors(&self) -> BTreeMap<u32, Monitor> {
        self.state().monitors.clone()
    }

    pub(super) fn add_monitor(&self, generation: u32, monitor: Monitor) {
        self.state().monitors.insert(generation, monitor);
        self.switched.notify(usize::MAX);
    }

    pub(super) fn remove_monitor(&self, generation: u32) {
        self.state().monitors.remove(&generation);
    }

    pub(super) fn set_failure(&self, failure: Option<String>) {
        self.state().failure = failure;
        self.switched.notify(usize::MAX);
    }

    pub(super) fn failure(&self) -> Option<String> {
        self.state().failure.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether this instance maintains the generation itself, so that its signal tells all.
pub(crate) fn is_followed_here(monitor: &Monitor) -> bool {
    match monitor.state() {
        SubscriptionState::CatchingUp | SubscriptionState::Live => true,
        SubscriptionState::Waiting | SubscriptionState::Stopped | SubscriptionState::Ended => false,
    }
}
