//! Bringing a checked declaration to life, in dependency order.

use super::drain::{self, Drain};
use super::rows;
use super::shared::{Background, Handles, Shared};
use super::unserved::Processes;
use super::watched::Watched;
use super::writes::Writes;
use super::{Application, ApplicationBuilder, ApplicationError, ApplicationOptions, Gate, Registry};
use crate::bus::{InProcessBus, InProcessBusOptions};
use crate::command::{Executor, GroupCommitter};
use crate::environment::live_environment;
use crate::process::Activities;
use crate::relay::Relay;
use crate::resilience::Circuits;
use crate::store::Notices;
use composable_rust_core::Projection;
use composable_rust_core::port::EventBus;
use composable_rust_projections::{
    Dependencies, Monitor, ProjectionControl, ProjectionRunner, Subscriber, SubscriptionOptions, View, run,
};
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// Begins what was prepared.
type Run = Box<dyn FnOnce(&mut Starting) + Send>;

/// An application that is being started.
pub(crate) struct Starting {
    pub(crate) deps: Dependencies,
    pub(crate) options: ApplicationOptions,
    pub(crate) executor: Arc<Executor>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) activities: Arc<Activities>,
    pub(crate) shutdown: CancellationToken,
    monitors: Vec<Monitor>,
    background: Vec<Background>,
    projections: Vec<ProjectionControl>,
    preparing: Vec<rows::Preparing>,
    prepared: Vec<Run>,
    handles: Handles,
}

impl Starting {
    /// The monitor of a subscription, for health and whoever works for it.
    pub(crate) fn monitor(&mut self, name: String) -> Monitor {
        let clock = Arc::clone(&self.deps.environment.clock);
        let monitor = Monitor::new(name, clock, self.deps.storage.events.signal().clone());
        self.monitors.push(monitor.clone());
        monitor
    }

    /// Follows the log with `subscriber` in the background until `halt`, which an error of it cancels.
    pub(crate) fn subscribe(
        &mut self,
        monitor: Monitor,
        mut subscriber: impl Subscriber + 'static,
        options: SubscriptionOptions,
        halt: CancellationToken,
    ) {
        let deps = self.deps.clone();
        self.spawn("subscription", monitor.name().to_owned(), async move {
            let _halts = halt.clone().drop_guard();
            // The error is logged by the subscription and shown by its monitor.
            drop(run(&mut subscriber, &deps, &options, &monitor, &halt).await);
        });
    }

    /// Maintains the rows of `projection` in the background once all are prepared, and leaves its view for readers.
    pub(crate) fn project<P: Projection>(&mut self, projection: P) {
        let runner =
            Arc::new(ProjectionRunner::new(projection, self.deps.clone(), self.options.projections.clone()));
        self.handles.put(runner.view());
        self.projections.push(runner.control());
        let preparing = Arc::clone(&runner);
        self.preparing.push(Box::pin(async move { preparing.prepare().await }));
        self.prepared.push(Box::new(move |starting| {
            let shutdown = starting.shutdown.clone();
            starting.spawn("projection", P::NAME.to_owned(), async move {
                // The error is logged by the runner and shown by its control.
                drop(runner.run(&shutdown).await);
            });
        }));
    }

    /// The rows of a projection; of one that this application does not run, those that another has written.
    pub(crate) fn view<P: Projection>(&self) -> View<P> {
        let detached = || View::detached(self.deps.clone(), self.options.projections.clone());
        self.handles.get::<View<P>>().map_or_else(detached, |view| (*view).clone())
    }

    /// Runs `work` in the background; the shutdown waits for it.
    pub(crate) fn spawn(
        &mut self,
        task: &'static str,
        name: String,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        let (end, ended) = oneshot::channel();
        let work = async move {
            work.await;
            // Nobody waits unless the application is shutting down.
            let _ = end.send(());
        };
        self.deps.environment.spawner.spawn(task, Box::pin(work));
        self.background.push(Background { name, ended });
    }
}

pub(super) async fn start(builder: ApplicationBuilder) -> Result<Application, ApplicationError> {
    let ApplicationBuilder { name, storage, bus, environment, options, .. } = builder;
    let environment = environment.unwrap_or_else(live_environment);
    let mut opened = None;
    for storage in storage {
        opened = Some(storage.open(&environment).await.map_err(ApplicationError::Storage)?);
    }
    let mut storage = opened.ok_or_else(|| ApplicationError::Invalid(Vec::new()))?;
    let writes = Writes::default();
    let (clock, watching) = (Arc::clone(&environment.clock), writes.clone());
    storage.events = Arc::new(Watched { inner: storage.events, clock, writes: watching });
    let holder = format!("{name}-{}", environment.new_id());
    let deps = Dependencies { storage, environment: environment.clone(), holder };
    let bus = bus
        .unwrap_or_else(|| Arc::new(InProcessBus::new(InProcessBusOptions::default())) as Arc<dyn EventBus>);

    let store = Arc::clone(&deps.storage.events);
    let committer =
        GroupCommitter::new(Arc::clone(&store), Arc::clone(&environment.spawner), options.commands.committer);
    let executor = Arc::new(Executor { store, environment, committer, options: options.commands });
    let mut starting = Starting {
        deps,
        options,
        executor,
        registry: Arc::default(),
        activities: Arc::default(),
        shutdown: CancellationToken::new(),
        monitors: Vec::new(),
        background: Vec::new(),
        projections: Vec::new(),
        preparing: Vec::new(),
        prepared: Vec::new(),
        handles: Handles::default(),
    };
    let mut registry = Registry::default();
    for decider in builder.deciders {
        (decider.register)(&starting, &mut registry);
    }
    starting.registry = Arc::new(registry);
    for projection in builder.projections {
        (projection.start)(&mut starting);
    }
    let activities = builder.activities.into_iter().map(|entry| (entry.name, (entry.make)(&starting)));
    starting.activities = Arc::new(activities.collect());
    let processes = Processes::of(&builder.processes);
    starting.prepare(processes).await?;
    for process in builder.processes {
        (process.start)(&mut starting);
    }
    let checkpoints = Arc::clone(&starting.deps.storage.checkpoints);
    let relay =
        Relay::new(Arc::clone(&bus), checkpoints, &starting.deps.environment.clock, starting.options.relay);
    let circuits = Circuits::default();
    circuits.add(relay.circuit());
    starting.handles.put(circuits);
    let monitor = starting.monitor("relay".to_owned());
    let (options, halt) = (starting.options.subscriptions.clone(), starting.shutdown.child_token());
    starting.subscribe(monitor, relay, options, halt);
    let application = Application { shared: Arc::new(starting.share(name, bus, writes)) };
    let unfinished = Unfinished(Some(application));
    unfinished.start_services(builder.services).await
}

impl Starting {
    /// Prepares all projections, so that a list that is asked for right after the start is empty, not missing, and all
    /// processes; then lets the projections run. Nothing runs before: a start that fails or is dropped here leaves no
    /// task.
    async fn prepare(&mut self, processes: Processes) -> Result<(), ApplicationError> {
        let (preparing, deps) = (std::mem::take(&mut self.preparing), self.deps.clone());
        let options = self.options.subscriptions.clone();
        let prepared = async {
            rows::prepared(preparing).await?;
            processes.prepared(&deps, &options).await.map_err(ApplicationError::Storage)
        };
        let prepared = prepared.await.map(|served| self.handles.put(served));
        if let Err(error) = prepared {
            (self.deps.storage.close)().await;
            return Err(error);
        }
        for run in std::mem::take(&mut self.prepared) {
            run(self);
        }
        Ok(())
    }

    fn share(self, name: String, bus: Arc<dyn EventBus>, writes: Writes) -> Shared {
        Shared {
            name,
            deps: self.deps,
            bus,
            writes,
            notices: Notices::new(self.options.notice_buffer),
            options: self.options,
            executor: self.executor,
            registry: self.registry,
            gate: Gate::default(),
            shutdown: self.shutdown,
            monitors: self.monitors,
            projections: self.projections,
            handles: self.handles,
            background: Mutex::new(self.background),
            drain: Drain::default(),
            services: tokio::sync::Mutex::default(),
        }
    }
}

/// An application whose services have not all started; dropped before they have, it is shut down in the background.
struct Unfinished(Option<Application>);

impl Unfinished {
    /// Services start last; when one cannot, everything is stopped again.
    async fn start_services(
        mut self,
        services: Vec<Box<dyn super::Service>>,
    ) -> Result<Application, ApplicationError> {
        let Some(application) = &self.0 else { return Err(ApplicationError::Invalid(Vec::new())) };
        for mut service in services {
            let name = service.name();
            if let Err(source) = service.start(application).await {
                if let Err(error) = application.shutdown().await {
                    tracing::error!(error = &error as &dyn std::error::Error, "not everything was stopped");
                }
                return Err(ApplicationError::Service { service: name, source });
            }
            application.shared.services.lock().await.push(service);
        }
        self.0.take().ok_or_else(|| ApplicationError::Invalid(Vec::new()))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(application) = &self.0 {
            // It goes on without a waiter; when it was done already, this begins nothing.
            drop(drain::shutdown(&application.shared));
        }
    }
}
