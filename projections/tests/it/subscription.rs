//! The mechanism itself: order, checkpoints, retries, leases, waking.

use crate::tally::{Tally, Totals};
use crate::world::{World, in_a_world};
use async_trait::async_trait;
use composable_rust_core::port::{Checkpoint, Storage, StoreError};
use composable_rust_core::{Clock, FixedClock, Position, RecordedEvent};
use composable_rust_projections::{
    Batch, HandleError, Monitor, ProjectionSubscriber, Subscriber, SubscriptionError, SubscriptionOptions,
    SubscriptionState, run,
};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Notes what it is handed, and fails as told.
struct Notes {
    name: String,
    storage: Storage,
    seen: Arc<Mutex<Vec<u64>>>,
    batches: Arc<Mutex<Vec<usize>>>,
    failures: VecDeque<HandleError>,
    saves_every_batch: bool,
}

impl Notes {
    fn new(world: &World) -> Self {
        Self {
            name: "notes".to_owned(),
            storage: world.storage.clone(),
            seen: Arc::default(),
            batches: Arc::default(),
            failures: VecDeque::new(),
            saves_every_batch: true,
        }
    }
}

#[async_trait]
impl Subscriber for Notes {
    fn name(&self) -> &str {
        &self.name
    }

    fn categories(&self) -> Option<Vec<String>> {
        Some(vec!["tally".to_owned()])
    }

    async fn checkpoint(&mut self) -> Result<Position, StoreError> {
        self.storage.checkpoints.load_checkpoint(&self.name).await
    }

    fn saves_every_batch(&self) -> bool {
        self.saves_every_batch
    }

    async fn handle(&mut self, batch: Batch<'_>) -> Result<(), HandleError> {
        let is_fence = batch.read_to == Position::ZERO;
        if let Some(failure) = self.failures.pop_front_if(|_| !is_fence) {
            return Err(failure);
        }
        if batch.events.is_empty() || self.saves_every_batch {
            let subscription = self.name.clone();
            let checkpoint = Checkpoint { subscription, position: batch.read_to, fence: batch.fence };
            self.storage.checkpoints.save_checkpoint(checkpoint).await?;
        }
        if !is_fence {
            self.batches.lock().unwrap().push(batch.events.len());
        }
        self.seen.lock().unwrap().extend(batch.events.iter().map(|event| event.position.get()));
        Ok(())
    }
}

struct Subscription {
    monitor: Monitor,
    shutdown: CancellationToken,
    done: CancellationToken,
    result: Arc<Mutex<Option<Result<(), SubscriptionError>>>>,
}

fn start(world: &World, holder: &str, mut subscriber: Notes, options: SubscriptionOptions) -> Subscription {
    let deps = world.instance(holder);
    let log = world.storage.events.signal().clone();
    let monitor = Monitor::new("notes", Arc::clone(&world.environment.clock), log);
    let (shutdown, done) = (CancellationToken::new(), CancellationToken::new());
    let result = Arc::new(Mutex::new(None));
    let started = Subscription { monitor, shutdown, done, result };
    let (monitor, shutdown) = (started.monitor.clone(), started.shutdown.clone());
    let (guard, outcome) = (started.done.clone().drop_guard(), Arc::clone(&started.result));
    let task = async move {
        let _guard = guard;
        let ended = run(&mut subscriber, &deps, &options, &monitor, &shutdown).await;
        *outcome.lock().unwrap() = Some(ended);
    };
    world.environment.spawner.spawn("subscription", Box::pin(task));
    started
}

impl Subscription {
    async fn shut_down(&self) {
        self.shutdown.cancel();
        self.done.cancelled().await;
    }
}

fn small_batches(batch_size: usize) -> SubscriptionOptions {
    SubscriptionOptions { batch_size, ..SubscriptionOptions::default() }
}

#[test]
fn every_event_comes_once_and_in_order_in_bounded_batches() {
    in_a_world(async |world| {
        world.add_many(25).await;
        let notes = Notes::new(&world);
        let (seen, batches) = (Arc::clone(&notes.seen), Arc::clone(&notes.batches));
        let subscription = start(&world, "a", notes, small_batches(10));
        let last = world.add("late", 1).await;
        subscription.monitor.signal().reached(last).await;
        assert_eq!(*seen.lock().unwrap(), (1..=26).collect::<Vec<_>>());
        assert!(batches.lock().unwrap().iter().all(|&events| events <= 10));
        subscription.shut_down().await;
        assert_eq!(world.storage.checkpoints.load_checkpoint("notes").await.unwrap(), last);
        assert_eq!(subscription.monitor.progress().state, SubscriptionState::Ended);
    });
}

#[test]
fn a_restart_goes_on_at_the_checkpoint() {
    in_a_world(async |world| {
        let first = world.add_many(5).await;
        let subscription = start(&world, "a", Notes::new(&world), small_batches(10));
        subscription.monitor.signal().reached(first).await;
        subscription.shut_down().await;
        let last = world.add_many(3).await;
        let notes = Notes::new(&world);
        let seen = Arc::clone(&notes.seen);
        let subscription = start(&world, "a", notes, small_batches(10));
        subscription.monitor.signal().reached(last).await;
        assert_eq!(*seen.lock().unwrap(), [6, 7, 8]);
        subscription.shut_down().await;
    });
}

#[test]
fn foreign_events_move_the_signal_at_once_and_the_checkpoint_lazily() {
    in_a_world(async |world| {
        let notes = Notes::new(&world);
        let batches = Arc::clone(&notes.batches);
        let subscription = start(&world, "a", notes, small_batches(10));
        let mut last = Position::ZERO;
        for _ in 0..100 {
            last = world.append_to("foreign", "x", b"1".to_vec()).await;
            subscription.monitor.signal().reached(last).await;
        }
        assert!(batches.lock().unwrap().len() <= 1, "100 foreign events are not 100 writes");
        world.pass(Duration::from_secs(3)).await;
        assert_eq!(world.storage.checkpoints.load_checkpoint("notes").await.unwrap(), last);
        let mut unsaved = last;
        for _ in 0..2 {
            unsaved = world.append_to("foreign", "x", b"1".to_vec()).await;
            subscription.monitor.signal().reached(unsaved).await;
        }
        let saved = world.storage.checkpoints.load_checkpoint("notes").await.unwrap();
        assert!(saved < unsaved, "what the shutdown has to save");
        subscription.shut_down().await;
        assert_eq!(world.storage.checkpoints.load_checkpoint("notes").await.unwrap(), unsaved);
    });
}

#[test]
fn checkpoints_that_may_wait_are_saved_after_a_while_and_at_the_end() {
    in_a_world(async |world| {
        let mut notes = Notes::new(&world);
        notes.saves_every_batch = false;
        let subscription = start(&world, "a", notes, small_batches(10));
        let saved = async || world.storage.checkpoints.load_checkpoint("notes").await.unwrap();
        let first = world.add_many(25).await;
        subscription.monitor.signal().reached(first).await;
        assert_eq!(saved().await, Position::ZERO, "nothing is saved for the moment");
        world.pass(Duration::from_secs(2)).await;
        assert_eq!(saved().await, first);
        let mut last = first;
        for _ in 0..2 {
            last = world.add("late", 1).await;
            subscription.monitor.signal().reached(last).await;
        }
        assert!(saved().await < last, "what the shutdown has to save");
        subscription.shut_down().await;
        assert_eq!(saved().await, last);
    });
}

#[test]
fn what_fails_for_now_is_tried_again_after_growing_pauses() {
    in_a_world(async |world| {
        let last = world.add("a", 1).await;
        let mut notes = Notes::new(&world);
        notes.failures = (0..4).map(|_| HandleError::Transient("down".into())).collect();
        let seen = Arc::clone(&notes.seen);
        let before = world.environment.now();
        let subscription = start(&world, "a", notes, small_batches(10));
        subscription.monitor.signal().reached(last).await;
        let waited = composable_rust_core::elapsed(before, world.environment.now());
        // 50 + 100 + 200 + 400 ms, each between half and all of it.
        assert!((375..=800).contains(&waited.as_millis()), "{waited:?}");
        assert_eq!(*seen.lock().unwrap(), [1]);
        assert_eq!(subscription.monitor.progress().last_error, None);
        subscription.shut_down().await;
    });
}

#[test]
fn by_default_it_stops_at_an_event_that_cannot_be_handled() {
    in_a_world(async |world| {
        let bad = world.add("a", 1).await;
        let mut notes = Notes::new(&world);
        notes.failures = VecDeque::from([HandleError::Poison { position: bad, source: "odd".into() }]);
        let seen = Arc::clone(&notes.seen);
        let subscription = start(&world, "a", notes, small_batches(10));
        subscription.done.cancelled().await;
        let result = subscription.result.lock().unwrap().take().unwrap();
        assert!(matches!(result, Err(SubscriptionError::Poisoned { position, .. }) if position == bad));
        let progress = subscription.monitor.progress();
        assert_eq!(progress.state, SubscriptionState::Stopped);
        assert!(progress.last_error.unwrap().ends_with("cannot be handled: odd"));
        assert_eq!(progress.position, Position::ZERO);
        assert!(seen.lock().unwrap().is_empty());
        let lease = world.storage.leases.acquire("notes", "b", Duration::from_secs(5)).await.unwrap();
        assert!(lease.is_some(), "the lease was released");
    });
}

#[test]
fn a_store_that_fails_for_a_while_only_delays() {
    in_a_world(async |world| {
        for operation in ["acquire", "load_checkpoint", "parked_streams", "read_log", "save_checkpoint"] {
            world.faults.fail_next(operation);
        }
        world.faults.lose_next("save_checkpoint");
        let last = world.add_many(3).await;
        let notes = Notes::new(&world);
        let seen = Arc::clone(&notes.seen);
        let subscription = start(&world, "a", notes, small_batches(10));
        subscription.monitor.signal().reached(last).await;
        assert_eq!(*seen.lock().unwrap(), [1, 2, 3]);
        subscription.shut_down().await;
    });
}

#[test]
fn one_instance_works_and_another_takes_over_within_ten_seconds_of_its_death() {
    in_a_world(async |world| {
        let options = SubscriptionOptions::default();
        // Holds the lease without ever renewing it, like an instance that was killed.
        let killed =
            world.storage.leases.acquire("notes", "killed", options.lease_ttl).await.unwrap().unwrap();
        let notes = Notes::new(&world);
        let seen = Arc::clone(&notes.seen);
        let subscription = start(&world, "b", notes, options);
        let died_at = world.environment.now();
        let last = world.add("a", 1).await;
        world.pass(Duration::from_secs(4)).await;
        let waiting = subscription.monitor.progress();
        assert_eq!(waiting.state, SubscriptionState::Waiting);
        assert!(waiting.unattended >= Duration::from_secs(3), "the dead do nothing: {waiting:?}");
        assert!(seen.lock().unwrap().is_empty());
        subscription.monitor.signal().reached(last).await;
        let took = composable_rust_core::elapsed(died_at, world.environment.now());
        assert!(took < Duration::from_secs(10), "{took:?}");
        let late = Checkpoint { subscription: "notes".into(), position: last.next(), fence: killed.fence };
        let refused = world.storage.checkpoints.save_checkpoint(late).await;
        assert!(matches!(refused, Err(StoreError::Fenced { .. })));
        subscription.shut_down().await;
    });
}

#[test]
fn a_takeover_shuts_the_old_holder_out_before_anything_is_written() {
    in_a_world(async |world| {
        let options = SubscriptionOptions::default();
        let killed =
            world.storage.leases.acquire("notes", "killed", options.lease_ttl).await.unwrap().unwrap();
        let save = async |position: Position, fence| {
            let checkpoint = Checkpoint { subscription: "notes".into(), position, fence };
            world.storage.checkpoints.save_checkpoint(checkpoint).await
        };
        let last = world.add_many(3).await;
        save(last, killed.fence).await.unwrap();
        let notes = Notes::new(&world);
        let seen = Arc::clone(&notes.seen);
        let subscription = start(&world, "b", notes, options);
        subscription.monitor.state_is(|state| state == SubscriptionState::Live).await;
        assert!(seen.lock().unwrap().is_empty(), "it goes on where the old holder stood");
        for position in [Position::ZERO, last, last.next()] {
            let refused = save(position, killed.fence).await;
            assert!(matches!(refused, Err(StoreError::Fenced { .. })), "at {position}: {refused:?}");
        }
        let more = world.add("a", 1).await;
        subscription.monitor.signal().reached(more).await;
        assert_eq!(*seen.lock().unwrap(), [more.get()]);
        subscription.shut_down().await;
    });
}

#[test]
fn a_projection_that_took_over_refuses_old_rows_before_it_has_written_any() {
    in_a_world(async |world| {
        world.add("a", 1).await;
        let page = read_all(&world).await;
        let mut old = ProjectionSubscriber::new(Arc::new(Totals::default()), 1, world.storage.clone(), 10);
        let mut new = ProjectionSubscriber::new(Arc::new(Totals::default()), 1, world.storage.clone(), 10);
        assert_eq!(old.take_over(1).await.unwrap(), Position::ZERO);
        assert_eq!(new.take_over(2).await.unwrap(), Position::ZERO);
        let late = Batch { events: &page, read_to: Position::from(1_u32), fence: 1 };
        assert!(matches!(old.handle(late).await, Err(HandleError::Fenced)));
        assert!(matches!(old.handle_parked(&page[0], 1).await, Err(HandleError::Fenced)));
        assert!(matches!(old.take_over(1).await, Err(HandleError::Fenced)));
    });
}

#[test]
fn a_lease_is_renewed_for_as_long_as_the_work_goes_on() {
    in_a_world(async |world| {
        let first = start(&world, "a", Notes::new(&world), SubscriptionOptions::default());
        let last = world.add("a", 1).await;
        first.monitor.signal().reached(last).await;
        let second = start(&world, "b", Notes::new(&world), SubscriptionOptions::default());
        world.pass(Duration::from_mins(2)).await;
        assert_eq!(first.monitor.progress().state, SubscriptionState::Live);
        assert_eq!(second.monitor.progress().state, SubscriptionState::Waiting);
        assert_eq!(second.monitor.progress().unattended, Duration::ZERO, "somebody works");
        assert_eq!(second.monitor.signal().position(), last, "who waits shows what the holder did");
        first.shut_down().await;
        world.pass(Duration::from_secs(2)).await;
        assert_eq!(second.monitor.progress().state, SubscriptionState::Live);
        second.shut_down().await;
    });
}

#[test]
fn a_fenced_writer_gives_its_lease_up_and_starts_over() {
    in_a_world(async |world| {
        let mut notes = Notes::new(&world);
        notes.failures = VecDeque::from([HandleError::Fenced]);
        let seen = Arc::clone(&notes.seen);
        let last = world.add("a", 1).await;
        let subscription = start(&world, "a", notes, SubscriptionOptions::default());
        subscription.monitor.signal().reached(last).await;
        assert_eq!(*seen.lock().unwrap(), [1]);
        let lease = world.storage.leases.acquire("notes", "a", Duration::from_secs(5)).await.unwrap();
        assert!(lease.unwrap().fence > 1, "it went on under a new fence");
        subscription.shut_down().await;
    });
}

#[test]
fn rows_of_a_fenced_writer_are_refused() {
    in_a_world(async |world| {
        world.add("a", 1).await;
        let page = read_all(&world).await;
        let mut old = ProjectionSubscriber::new(Arc::new(Totals::default()), 1, world.storage.clone(), 10);
        let mut new = ProjectionSubscriber::new(Arc::new(Totals::default()), 1, world.storage.clone(), 10);
        old.checkpoint().await.unwrap();
        new.checkpoint().await.unwrap();
        let batch = |fence| Batch { events: &page, read_to: Position::from(1_u32), fence };
        new.handle(batch(2)).await.unwrap();
        assert!(matches!(old.handle(batch(1)).await, Err(HandleError::Fenced)));
    });
}

#[test]
fn a_new_turn_does_not_trust_rows_of_the_last_one() {
    in_a_world(async |world| {
        world.add_many(3).await;
        let page = read_all(&world).await;
        let totals = Arc::new(Totals::default());
        let mut first = ProjectionSubscriber::new(Arc::clone(&totals), 1, world.storage.clone(), 10);
        let mut other = ProjectionSubscriber::new(totals, 1, world.storage.clone(), 10);
        let turns = [(&mut first, 0, 1), (&mut other, 1, 2)];
        for (subscriber, place, fence) in turns {
            subscriber.checkpoint().await.unwrap();
            let events = &page[place..=place];
            subscriber.handle(Batch { events, read_to: events[0].position, fence }).await.unwrap();
        }
        assert_eq!(first.checkpoint().await.unwrap(), page[1].position);
        let events = &page[2..];
        first.handle(Batch { events, read_to: events[0].position, fence: 3 }).await.unwrap();
        let model = composable_rust_projections::read_model::<Totals>(1);
        let (row, _) = world.storage.views.get(&model, first.name(), "all").await.unwrap();
        assert_eq!(row.unwrap().body, br#"{"name":"all","sum":3,"events":3}"#[..]);
    });
}

async fn read_all(world: &World) -> Vec<RecordedEvent> {
    let query = composable_rust_core::port::LogQuery::after(Position::ZERO, 1000);
    world.storage.events.read_log(query).await.unwrap().events
}

#[test]
fn new_events_wake_it_without_any_time_passing() {
    in_a_world(async |mut world| {
        // A clock that stands still: whatever waits for time waits for ever.
        let clock = FixedClock::at(world.environment.now());
        world.environment.clock = Arc::new(clock.clone());
        let notes = Notes::new(&world);
        let seen = Arc::clone(&notes.seen);
        let subscription = start(&world, "a", notes, SubscriptionOptions::default());
        for number in 0..20 {
            let position = world.append("a", Tally::Added(number)).await;
            subscription.monitor.signal().reached(position).await;
        }
        assert_eq!(seen.lock().unwrap().len(), 20);
        assert_eq!(clock.now(), world.environment.now());
        subscription.shut_down().await;
    });
}

#[test]
fn lag_counts_events_and_the_age_of_the_oldest_one() {
    in_a_world(async |world| {
        let mut notes = Notes::new(&world);
        notes.failures = (0..5).map(|_| HandleError::Transient("down".into())).collect();
        let last = world.add_many(7).await;
        let options = SubscriptionOptions::default();
        let subscription = start(&world, "a", notes, options);
        world.pass(Duration::from_millis(300)).await;
        let behind = subscription.monitor.progress();
        assert_eq!((behind.lag_events(), behind.position, behind.horizon), (7, Position::ZERO, last));
        assert_eq!(behind.state, SubscriptionState::CatchingUp);
        assert_eq!(behind.lag, Duration::from_millis(300));
        assert_eq!(behind.last_error.as_deref(), Some("handling failed for now: down"));
        subscription.monitor.signal().reached(last).await;
        world.pass(Duration::from_millis(10)).await;
        let live = subscription.monitor.progress();
        assert_eq!((live.lag_events(), live.lag, live.handled), (0, Duration::ZERO, 7));
        assert_eq!(live.state, SubscriptionState::Live);
        assert!((live.percent() - 100.0).abs() < f64::EPSILON);
        subscription.shut_down().await;
    });
}
