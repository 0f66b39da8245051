//! The declaration of an application.

use super::entries::{ActivityEntry, DeciderEntry, ProcessEntry, ProjectionEntry};
use super::{Application, ApplicationError, ApplicationOptions, Finding, Service, check, drain, start};
use crate::BoxError;
use crate::command::DeciderOptions;
use composable_rust_core::port::{EventBus, OpenStorage};
use composable_rust_core::{Activity, Decider, Environment, Process, Projection};
use composable_rust_projections::View;
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// Declares an application: what decides, what happens next, what is shown, and where it is kept.
///
/// Nothing runs before [`Self::start`], which first checks the whole and reports every fault at once.
#[must_use = "an application runs when it is started"]
pub struct ApplicationBuilder {
    pub(super) name: String,
    pub(super) storage: Vec<Arc<dyn OpenStorage>>,
    pub(super) bus: Option<Arc<dyn EventBus>>,
    pub(super) environment: Option<Environment>,
    pub(super) options: ApplicationOptions,
    pub(super) deciders: Vec<DeciderEntry>,
    pub(super) processes: Vec<ProcessEntry>,
    pub(super) activities: Vec<ActivityEntry>,
    pub(super) projections: Vec<ProjectionEntry>,
    pub(super) services: Vec<Box<dyn Service>>,
}

impl fmt::Debug for ApplicationBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApplicationBuilder").field("name", &self.name).finish_non_exhaustive()
    }
}

impl ApplicationBuilder {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            storage: Vec::new(),
            bus: None,
            environment: None,
            options: ApplicationOptions::default(),
            deciders: Vec::new(),
            processes: Vec::new(),
            activities: Vec::new(),
            projections: Vec::new(),
            services: Vec::new(),
        }
    }

    /// Where events, timers and read models are kept.
    pub fn storage(mut self, storage: impl OpenStorage + 'static) -> Self {
        self.storage.push(Arc::new(storage));
        self
    }

    /// Where committed events are announced; without it a bus within this process.
    pub fn bus(mut self, bus: impl EventBus + 'static) -> Self {
        self.bus = Some(Arc::new(bus));
        self
    }

    /// Time, ids, randomness and tasks; without it those of the machine.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = Some(environment);
        self
    }

    /// Limits.
    pub fn options(mut self, options: ApplicationOptions) -> Self {
        self.options = options;
        self
    }

    /// Adds a decider.
    pub fn decider<D: Decider>(self) -> Self {
        self.decider_with::<D>(DeciderOptions::default())
    }

    /// Adds a decider with options of its own.
    pub fn decider_with<D: Decider>(mut self, options: DeciderOptions) -> Self {
        self.deciders.push(DeciderEntry::new::<D>(options));
        self
    }

    /// Adds a process.
    pub fn process<P: Process>(mut self) -> Self {
        self.processes.push(ProcessEntry::new::<P>());
        self
    }

    /// Adds what performs the calls of one kind.
    pub fn activity<A: Activity>(mut self, activity: A) -> Self {
        self.activities.push(ActivityEntry::new(activity));
        self
    }

    /// Adds what performs the calls of one kind and reads the rows of a projection to do so: `make` gets the view when
    /// the application starts.
    ///
    /// A view follows the log. Where a call must see what its process has heard, give it the event's position and read
    /// with [`View::at_least_position`].
    pub fn activity_reading<P: Projection, A: Activity>(
        mut self,
        make: impl FnOnce(View<P>) -> A + Send + 'static,
    ) -> Self {
        self.activities.push(ActivityEntry::reading(make));
        self
    }

    /// Adds a projection.
    pub fn projection<P: Projection>(mut self, projection: P) -> Self {
        self.projections.push(ProjectionEntry::new(projection));
        self
    }

    /// The service of type `S`, added on first use; crates with a service offer methods of their own on this.
    pub fn service_mut<S: Service + Default>(&mut self) -> &mut S {
        if !self.services.iter().any(|service| (&**service as &dyn Any).is::<S>()) {
            self.services.push(Box::new(S::default()));
        }
        let mut services = self.services.iter_mut();
        #[expect(clippy::unreachable, reason = "it was added above if it was not there")]
        services
            .find_map(|service| (&mut **service as &mut dyn Any).downcast_mut())
            .unwrap_or_else(|| unreachable!())
    }

    /// Every fault of the declaration.
    pub fn findings(&self) -> Vec<Finding> {
        check::findings(self)
    }

    /// Checks the whole, opens the storage and starts everything.
    ///
    /// # Errors
    /// [`ApplicationError::Invalid`] with all faults at once; else what could not be opened or started.
    ///
    /// # Cancel safety
    /// Dropping the future stops what was started; the storage is free soon after.
    pub async fn start(self) -> Result<Application, ApplicationError> {
        let findings = self.findings();
        if findings.is_empty() { start::start(self).await } else { Err(ApplicationError::Invalid(findings)) }
    }

    /// What a program's `main` does: starts, lets `ready` prepare and announce what is there, runs until SIGTERM or
    /// Ctrl-C, and shuts down. A signal that comes earlier ends it in the same order; one that comes during the shutdown
    /// ends the waiting. Must be called inside a tokio runtime.
    ///
    /// ```no_run
    /// # use composable_rust_runtime::Application;
    /// #[tokio::main]
    /// async fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     let builder = Application::builder("bank"); // with storage, deciders and the rest
    ///     builder.run(async |_| Ok(println!("it runs"))).await?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`Self::start`] and [`Application::shutdown`]; [`ApplicationError::Ready`] with whatever `ready` fails with,
    /// after an orderly end; [`ApplicationError::CutShort`] when a second signal cut that end short.
    ///
    /// # Cancel safety
    /// Dropping the future stops what was started, without waiting for it.
    pub async fn run(
        self,
        ready: impl AsyncFnOnce(&Application) -> Result<(), BoxError>,
    ) -> Result<(), ApplicationError> {
        let mut signals = drain::Signals::listen();
        let application = self.start().await?;
        let failed = async {
            match ready(&application).await {
                Ok(()) => std::future::pending().await,
                Err(error) => error,
            }
        };
        let ended = tokio::select! {
            biased;
            () = signals.next() => Ok(()),
            error = failed => Err(ApplicationError::Ready(error)),
        };
        let limit = application.shared.options.drain_timeout;
        tracing::info!("draining: what is under way has {limit:?} to end; a second signal ends it at once");
        tokio::select! {
            biased;
            stopped = application.shutdown() => stopped?,
            () = signals.next() => return Err(ApplicationError::CutShort),
        }
        tracing::info!("stopped");
        ended
    }
}
