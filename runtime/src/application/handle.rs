//! The handle of a running application.

use super::dispatcher::ApplicationDispatcher;
use super::gate::Inside;
use super::shared::Shared;
use super::{ApplicationBuilder, ApplicationError, ComponentHealth, dead_letters, drain, health};
use crate::command::{self, Execute, ExecuteAll, ExecuteError, Loaded, TargetSet};
use crate::store::{Notices, StorageHost, Store, StoreOptions, StoreReducer};
use composable_rust_core::port::{
    DeadLetterFilter, DeadLetterQueue, EventBus, EventStore, Storage, StoreError,
};
use composable_rust_core::{
    Action, Command, DeadLetterId, Decider, DeciderOf, Environment, IntoKey, KeyOf, Never, Projection,
};
use composable_rust_projections::{
    Monitor, Progress, ProjectionControl, ProjectionProgress, RetryOutcome, View,
};
use std::any::Any;
use std::sync::Arc;

/// A running application; cheap to clone. End it with [`Self::shutdown`].
///
/// When its last handle is dropped without that, it stops as well, with a warning: its background work is told to end
/// and is not waited for, and the storage is free once that has ended. Its stores, commands under way and services that
/// keep the application count as handles.
#[derive(Debug, Clone)]
pub struct Application {
    pub(crate) shared: Arc<Shared>,
}

impl Application {
    /// Begins the declaration of an application; `name` shows in traces and leases.
    pub fn builder(name: impl Into<String>) -> ApplicationBuilder {
        ApplicationBuilder::new(name.into())
    }

    /// Gives a command to the aggregate `key`: `.await` the result, after `.request(…)` where it has an identity.
    pub fn execute<C: Command>(
        &self,
        key: impl IntoKey<<C::Action as Action>::Key>,
        command: C,
    ) -> Execute<DeciderOf<C>> {
        Execute::new(Arc::clone(&self.shared), key.into_key(), command)
    }

    /// Gives several commands at once: all are decided and appended atomically, or nothing.
    ///
    /// Write `execute_all((on(key, command), on(key, command)))`; a `Vec` serves for a number known at run time.
    pub fn execute_all<T: TargetSet>(&self, commands: T) -> ExecuteAll<T> {
        ExecuteAll::new(Arc::clone(&self.shared), commands)
    }

    /// The state of an aggregate as its stream says now, never stale; `None` when it has no event.
    ///
    /// # Errors
    /// [`ExecuteError`] when the stream cannot be read; [`ExecuteError::Draining`] after a shutdown has begun.
    ///
    /// # Cancel safety
    /// It only reads: drop it at any time.
    pub async fn load<D: Decider>(
        &self,
        key: impl IntoKey<KeyOf<D>> + Send,
    ) -> Result<Option<Loaded<D>>, ExecuteError<Never>> {
        let _inside = self.shared.gate.enter().ok_or(ExecuteError::Draining)?;
        command::load::<D>(&self.shared, &key.into_key()).await
    }

    /// The rows of a projection. Of one that this application does not run, those that another has written.
    pub fn view<P: Projection>(&self) -> View<P> {
        match self.shared.handles.get::<View<P>>() {
            Some(view) => (*view).clone(),
            None => View::detached(self.shared.deps.clone(), self.shared.options.projections.clone()),
        }
    }

    /// The controls of the projections: progress, rebuild, retry.
    pub fn projections(&self) -> &[ProjectionControl] {
        &self.shared.projections
    }

    /// A store for interactive state, whose effects use this application: its storage, its clock and its deciders, so
    /// that [`Effects::dispatch`](composable_rust_core::Effects::dispatch) gives a command as [`Self::execute`] does.
    ///
    /// Its limits are the default; a reducer with an environment of its own is run by [`Store::with_host`] on
    /// [`Self::effect_host`]. The store is the caller's: shut it down before the application.
    pub fn store<R: StoreReducer<Environment = Environment>>(&self, state: R::State, reducer: R) -> Store<R> {
        let (environment, host) = (self.environment().clone(), Arc::new(self.effect_host()));
        Store::with_host(state, reducer, environment, host, StoreOptions::default())
    }

    /// What carries out the effects of stores: on this application's storage, by its deciders, to the listeners of its
    /// [`Self::notices`].
    pub fn effect_host(&self) -> StorageHost {
        StorageHost::new(self.storage(), self.environment().clone())
            .with_dispatcher(Arc::new(ApplicationDispatcher(Arc::clone(&self.shared))))
            .with_notifier(Arc::new(self.notices().clone()))
    }

    /// What reducers tell with `publish_event!`, for whoever listens now.
    pub fn notices(&self) -> &Notices {
        &self.shared.notices
    }

    /// Time, ids, randomness and tasks.
    pub fn environment(&self) -> &Environment {
        &self.shared.deps.environment
    }

    /// The storage.
    pub fn storage(&self) -> &Storage {
        &self.shared.deps.storage
    }

    /// The log.
    pub fn events(&self) -> &Arc<dyn EventStore> {
        &self.shared.deps.storage.events
    }

    /// The bus.
    pub fn bus(&self) -> &Arc<dyn EventBus> {
        &self.shared.bus
    }

    /// What could not be handled.
    pub fn dead_letters(&self) -> &Arc<dyn DeadLetterQueue> {
        &self.shared.deps.storage.dead_letters
    }

    /// Tries again what a dead letter holds: the failed handler, never the append.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed, or the application was shut down.
    ///
    /// # Cancel safety
    /// Dropping the future stops the waiting, not the retry.
    pub async fn retry_dead_letter(&self, id: DeadLetterId, by: &str) -> Result<RetryOutcome, StoreError> {
        let _inside = self.enter("retry a dead letter")?;
        dead_letters::retry(&self.shared, id, by).await
    }

    /// Asks to try again every pending dead letter that `filter` names, and answers how many. They are handled in order,
    /// each stream until one fails again; this does not wait for it.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed, or the application was shut down; some may have been asked for.
    ///
    /// # Cancel safety
    /// As after an error.
    pub async fn retry_dead_letters(&self, filter: &DeadLetterFilter, by: &str) -> Result<u64, StoreError> {
        let _inside = self.enter("retry dead letters")?;
        dead_letters::retry_all(&self.shared, filter, by).await
    }

    /// How far each subscription has come: processes, the relay, and of each projection the live generation and the one
    /// that is being built to replace it.
    pub fn progress(&self) -> Vec<Progress> {
        let projections = self.shared.projections.iter().flat_map(|projection| {
            let ProjectionProgress { live, building, .. } = projection.progress();
            live.into_iter().chain(building.map(|(_, progress)| progress))
        });
        self.shared.monitors.iter().map(Monitor::progress).chain(projections).collect()
    }

    /// How the parts are, each asked in parallel and within 5 s.
    ///
    /// # Cancel safety
    /// It only asks: drop it at any time.
    pub async fn health(&self) -> Vec<ComponentHealth> {
        health::check(&self.shared).await
    }

    /// Whether the application is shutting down.
    pub fn is_draining(&self) -> bool {
        self.shared.gate.is_closed()
    }

    /// Leaves a value for others, such as a server its address; one of each type.
    pub fn put<T: Any + Send + Sync>(&self, value: T) {
        self.shared.handles.put(value);
    }

    /// A value left by [`Self::put`].
    pub fn get<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.shared.handles.get()
    }

    /// Stops intake, finishes what is under way, saves checkpoints, releases leases and closes the storage.
    ///
    /// # Errors
    /// [`ApplicationError::DrainTimeout`] names what did not end in time, also a service or the storage: a stream of
    /// events that somebody keeps half read holds it open. Each part gets a second even
    /// when those before it have used up [`ApplicationOptions::drain_timeout`](super::ApplicationOptions::drain_timeout),
    /// so the answer may come that much later.
    ///
    /// # Cancel safety
    /// There is one shutdown, which everyone who calls this waits for. Dropping the future stops the waiting, not the
    /// shutdown; calling again waits for the same result.
    pub async fn shutdown(&self) -> Result<(), ApplicationError> {
        drain::shutdown(&self.shared).await
    }

    fn enter(&self, doing: &'static str) -> Result<Inside, StoreError> {
        let inside = self.shared.gate.enter();
        inside.ok_or_else(|| StoreError::unavailable(doing, "the application was shut down"))
    }
}
