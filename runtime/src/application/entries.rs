//! What was declared, with the types erased: facts for the check, and how to bring each part to life.

use super::Registry;
use super::start::Starting;
use crate::command::{Aggregates, DeciderOptions};
use crate::process::{
    AnyActivity, Instances, ProcessSubscriber, TypedActivity, Worker, note_start, subscription_name,
    work_name,
};
use composable_rust_core::port::StoreError;
use composable_rust_core::{
    Action, Activity, ActivityCall, Decider, Event, EventOf, EventSet, Process, ProcessInput, Projection,
    SchemaVersion,
};
use composable_rust_projections::{Dependencies, SubscriptionOptions, View};
use futures_util::future::BoxFuture;
use std::any::type_name;
use std::sync::Arc;

type Register = Box<dyn FnOnce(&Starting, &mut Registry) + Send>;
/// Makes an activity of what the application has by then.
type Make = Box<dyn FnOnce(&Starting) -> Arc<dyn AnyActivity> + Send>;
type EventTypes = Vec<(&'static str, SchemaVersion)>;

/// A declared decider.
pub(crate) struct DeciderEntry {
    pub(super) type_name: &'static str,
    pub(super) category: &'static str,
    pub(super) events: EventTypes,
    pub(super) register: Register,
}

impl DeciderEntry {
    pub(super) fn new<D: Decider>(options: DeciderOptions) -> Self {
        let register = move |starting: &Starting, registry: &mut Registry| {
            let cached = starting.options.commands.cached_aggregates;
            let environment = starting.deps.environment.clone();
            registry.add::<D>(Aggregates::new(&starting.deps.storage, environment, options, cached));
        };
        Self {
            type_name: short(type_name::<D>()),
            category: D::Action::CATEGORY,
            events: EventOf::<D>::TYPES.to_vec(),
            register: Box::new(register),
        }
    }
}

/// Who reads which events.
pub(crate) struct Reader {
    pub(super) categories: Vec<&'static str>,
    pub(super) events: EventTypes,
}

/// What is done for a process before anything runs.
pub(super) type Prepare =
    for<'a> fn(&'a Dependencies, &'a SubscriptionOptions) -> BoxFuture<'a, Result<(), StoreError>>;

/// A declared process.
pub(crate) struct ProcessEntry {
    pub(super) type_name: &'static str,
    pub(super) name: &'static str,
    pub(super) reads: Reader,
    pub(super) dispatches_to: Vec<&'static str>,
    pub(super) calls: Vec<&'static str>,
    pub(super) prepare: Prepare,
    pub(super) start: Box<dyn FnOnce(&mut Starting) + Send>,
}

impl ProcessEntry {
    pub(super) fn new<P: Process>() -> Self {
        Self {
            type_name: short(type_name::<P>()),
            name: P::NAME,
            reads: Reader { categories: P::Input::categories(), events: P::Input::event_types() },
            dispatches_to: P::Input::dispatches_to(),
            calls: P::Input::calls(),
            prepare: |deps, options| Box::pin(note_start::<P>(deps, options)),
            start: Box::new(start_process::<P>),
        }
    }
}

fn start_process<P: Process>(starting: &mut Starting) {
    let options = starting.options.processes;
    let monitor = starting.monitor(subscription_name(P::NAME));
    // Where one of subscription and worker stops, so does the other.
    let halt = starting.shutdown.child_token();
    let subscription = SubscriptionOptions {
        failure_policy: options.failure_policy,
        ..starting.options.subscriptions.clone()
    };
    let worker = Arc::new(Worker {
        instances: Arc::new(Instances::<P>::new(Arc::clone(&starting.executor), &options)),
        executor: Arc::clone(&starting.executor),
        registry: Arc::clone(&starting.registry),
        activities: Arc::clone(&starting.activities),
        deps: starting.deps.clone(),
        options,
        subscription: subscription.clone(),
        monitor: monitor.clone(),
        halt: halt.clone(),
    });
    starting.subscribe(monitor, ProcessSubscriber::new(Arc::clone(&worker)), subscription, halt);
    starting.spawn("process-worker", work_name(P::NAME), worker.run());
}

/// A declared activity.
pub(crate) struct ActivityEntry {
    pub(super) type_name: &'static str,
    pub(super) name: &'static str,
    pub(super) make: Make,
}

impl ActivityEntry {
    pub(super) fn new<A: Activity>(activity: A) -> Self {
        Self::made(|_| activity)
    }

    /// Of an activity that reads the rows of `P`.
    pub(super) fn reading<P: Projection, A: Activity>(
        make: impl FnOnce(View<P>) -> A + Send + 'static,
    ) -> Self {
        Self::made(|starting| make(starting.view::<P>()))
    }

    fn made<A: Activity>(make: impl FnOnce(&Starting) -> A + Send + 'static) -> Self {
        Self {
            type_name: short(type_name::<A>()),
            name: A::Call::NAME,
            make: Box::new(|starting| Arc::new(TypedActivity(make(starting)))),
        }
    }
}

/// A declared projection.
pub(crate) struct ProjectionEntry {
    pub(super) type_name: &'static str,
    pub(super) name: &'static str,
    pub(super) reads: Reader,
    pub(super) start: Box<dyn FnOnce(&mut Starting) + Send>,
}

impl ProjectionEntry {
    pub(super) fn new<P: Projection>(projection: P) -> Self {
        Self {
            type_name: short(type_name::<P>()),
            name: P::NAME,
            reads: Reader { categories: P::Event::categories(), events: P::Event::event_types() },
            start: Box::new(move |starting| starting.project(projection)),
        }
    }
}

/// The last part of a type's path: what the user writes.
fn short(path: &'static str) -> &'static str {
    path.rsplit("::").next().unwrap_or(path)
}
