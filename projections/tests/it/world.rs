//! What a test stands in: one storage, virtual time, instances of an application.

use crate::tally::Tally;
use composable_rust_core::port::{Append, OpenStorage, Storage};
use composable_rust_core::{
    Environment, EventId, EventMetadata, ExpectedVersion, NewEvent, Position, Projection, SchemaVersion,
    StreamId,
};
use composable_rust_projections::{
    Dependencies, ProjectionControl, ProjectionOptions, ProjectionRunner, SubscriptionError, View,
};
use composable_rust_testing::memory::Faults;
use composable_rust_testing::simulation::{Ending, Life, Simulation};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The storage and time of one test.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) storage: Storage,
    pub(crate) environment: Environment,
    pub(crate) faults: Faults,
}

/// Runs a test on one thread under virtual time.
pub(crate) fn in_a_world(test: impl AsyncFnOnce(World)) {
    Simulation::run_with(
        1,
        |_| Faults::scripted(),
        async |simulation| {
            let ending = live(simulation, test).await;
            assert_eq!(ending, Ending::Finished(()));
            assert_eq!(simulation.task_panics(), Vec::<String>::new());
        },
    );
}

/// One life of a simulation.
pub(crate) async fn live(simulation: &Simulation, test: impl AsyncFnOnce(World)) -> Ending<()> {
    simulation
        .live(Life::CALM, async |environment| {
            let Ok(storage) = simulation.storage().open(&environment).await else { return };
            test(World { storage, environment, faults: simulation.faults() }).await;
        })
        .await
}

impl World {
    pub(crate) fn instance(&self, holder: &str) -> Dependencies {
        Dependencies {
            storage: self.storage.clone(),
            environment: self.environment.clone(),
            holder: holder.to_owned(),
        }
    }

    /// Appends an event to a tally; answers its position.
    pub(crate) async fn append(&self, name: &str, event: Tally) -> Position {
        self.append_to("tally", name, serde_json::to_vec(&event).unwrap()).await
    }

    pub(crate) async fn add(&self, name: &str, amount: i64) -> Position {
        self.append(name, Tally::Added(amount)).await
    }

    pub(crate) async fn append_to(&self, category: &str, name: &str, payload: Vec<u8>) -> Position {
        self.storage.events.append(self.new_append(category, name, payload)).await.unwrap().position
    }

    /// Appends an event to a tally where the store may fail.
    pub(crate) async fn try_append(&self, name: &str, event: Tally) {
        let append = self.new_append("tally", name, serde_json::to_vec(&event).unwrap());
        _ = self.storage.events.append(append).await;
    }

    pub(crate) fn new_append(&self, category: &str, name: &str, payload: Vec<u8>) -> Append {
        let event = NewEvent {
            id: EventId::from_uuid(self.environment.new_id()),
            event_type: "tally.Event".into(),
            schema_version: SchemaVersion::FIRST,
            payload: payload.into(),
            metadata: EventMetadata::default().encode(),
        };
        Append::to(StreamId::new(category, name).unwrap(), ExpectedVersion::Any, vec![event])
    }

    /// Appends `count` events to ten tallies; answers the last position.
    pub(crate) async fn add_many(&self, count: i64) -> Position {
        let mut last = Position::ZERO;
        for number in 0..count {
            last = self.add(&format!("t{}", number % 10), number).await;
        }
        last
    }

    pub(crate) async fn pass(&self, time: Duration) {
        self.environment.clock.sleep(time).await;
    }

    /// Starts a projection in an instance of its own.
    pub(crate) fn start<P: Projection>(
        &self,
        holder: &str,
        projection: P,
        options: ProjectionOptions,
    ) -> Running<P> {
        let runner = ProjectionRunner::new(projection, self.instance(holder), options);
        let (view, control) = (runner.view(), runner.control());
        let (shutdown, done) = (CancellationToken::new(), CancellationToken::new());
        let result = Arc::new(Mutex::new(None));
        let (stop, guard, outcome) = (shutdown.clone(), done.clone().drop_guard(), Arc::clone(&result));
        let task = async move {
            let _guard = guard;
            let ended = runner.run(&stop).await;
            *outcome.lock().unwrap() = Some(ended);
        };
        self.environment.spawner.spawn("runner", Box::pin(task));
        Running { view, control, shutdown, done, result }
    }
}

/// A projection that runs.
pub(crate) struct Running<P: Projection> {
    pub(crate) view: View<P>,
    pub(crate) control: ProjectionControl,
    shutdown: CancellationToken,
    pub(crate) done: CancellationToken,
    result: Arc<Mutex<Option<Result<(), SubscriptionError>>>>,
}

impl<P: Projection> Running<P> {
    /// Waits for a position, at most a minute.
    pub(crate) async fn reach(&self, position: Position) {
        self.view.wait_for(position, Duration::from_mins(1)).await.unwrap();
    }

    pub(crate) async fn shut_down(self) -> Result<(), SubscriptionError> {
        self.shutdown.cancel();
        self.done.cancelled().await;
        self.result.lock().unwrap().take().unwrap()
    }
}
