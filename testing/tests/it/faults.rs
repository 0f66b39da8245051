//! Faults strike where the plan says, and storage tells the truth afterwards.

use composable_rust_core::port::{
    Append, AppendError, Consumer, Delivery, EventBus, Message, OpenStorage, Storage, StoreError,
};
use composable_rust_core::{
    EventId, EventMetadata, ExpectedVersion, NewEvent, SchemaVersion, SeededRandom, StreamId, StreamVersion,
};
use composable_rust_testing::memory::{Fault, FaultRates, Faults, MemoryBus, MemoryStorage, Moment, Point};
use composable_rust_testing::{TestEnvironment, test_environment};
use futures_util::future::poll_immediate;
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn stream(key: &str) -> StreamId {
    StreamId::new("faults", key).unwrap()
}

fn one_event(test: &TestEnvironment, key: &str) -> Append {
    let event = NewEvent {
        id: EventId::from_uuid(test.environment.new_id()),
        event_type: "faults.Happened".into(),
        schema_version: SchemaVersion::FIRST,
        payload: "1".into(),
        metadata: EventMetadata::default().encode(),
    };
    Append::to(stream(key), ExpectedVersion::Any, vec![event])
}

async fn version(storage: &Storage, key: &str) -> u64 {
    storage.events.stream_version(&stream(key)).await.unwrap().get()
}

/// Polls until `future` waits for something other than its turn.
async fn stuck<F: Future + Unpin>(mut future: F) -> bool {
    for _ in 0..100 {
        if poll_immediate(&mut future).await.is_some() {
            return false;
        }
    }
    true
}

#[tokio::test]
async fn a_failed_append_writes_nothing_and_a_lost_answer_wrote_all() {
    let test = test_environment();
    let faults = Faults::scripted();
    let storage = MemoryStorage::new().with_faults(faults.clone()).open(&test.environment).await.unwrap();
    faults.fail_next("append");
    faults.lose_next("append");
    for expected in [0, 1] {
        let refused = storage.events.append(one_event(&test, "a")).await;
        let Err(AppendError::Store(error @ StoreError::Unavailable { .. })) = refused else {
            panic!("expected an unavailable store, got {refused:?}");
        };
        assert!(error.is_transient());
        assert_eq!(version(&storage, "a").await, expected);
    }
    storage.events.append(one_event(&test, "a")).await.unwrap();
    assert_eq!(version(&storage, "a").await, 2);
    let struck: Vec<_> = faults.injected().into_iter().collect();
    assert_eq!(struck, [(("append", "fail"), 1), (("append", "lose"), 1)]);
}

#[tokio::test]
async fn every_adapter_meets_faults_by_the_name_of_its_method() {
    let test = test_environment();
    let faults = Faults::scripted();
    let storage = MemoryStorage::new().with_faults(faults.clone()).open(&test.environment).await.unwrap();
    for operation in ["read_stream", "load_checkpoint", "acquire", "due", "load_snapshot", "live_generation"]
    {
        faults.fail_next(operation);
    }
    faults.fail_next("dead_letter_stats");
    let range = composable_rust_core::port::StreamRange::latest(1);
    assert!(storage.events.read_stream(&stream("a"), range).await.is_err());
    assert!(storage.checkpoints.load_checkpoint("a").await.is_err());
    assert!(storage.leases.acquire("a", "me", Duration::from_secs(1)).await.is_err());
    assert!(
        storage
            .timers
            .due("a", test.environment.now(), composable_rust_core::port::Skip::default(), 1)
            .await
            .is_err()
    );
    assert!(storage.snapshots.load_snapshot(&stream("a")).await.is_err());
    assert!(storage.views.live_generation("a").await.is_err());
    assert!(storage.dead_letters.stats().await.is_err());
    assert_eq!(faults.injected().len(), 7);
}

#[test]
#[should_panic(expected = "no operation \"apend\"")]
fn a_misspelt_operation_does_not_pass_unnoticed() {
    Faults::scripted().fail_next("apend");
}

#[tokio::test]
async fn a_delay_waits_for_the_clock_of_the_environment() {
    let test = test_environment();
    let faults = Faults::scripted();
    let storage = MemoryStorage::new().with_faults(faults.clone()).open(&test.environment).await.unwrap();
    faults.next("append", Fault::Delay(Duration::from_secs(5)));
    let mut append = storage.events.append(one_event(&test, "a"));
    assert!(stuck(&mut append).await);
    test.advance(Duration::from_secs(4));
    assert!(stuck(&mut append).await);
    test.advance(Duration::from_secs(1));
    append.await.unwrap();
    assert_eq!(version(&storage, "a").await, 1);
}

#[tokio::test]
async fn a_crash_stops_everything_until_the_application_is_revived_on_what_was_written() {
    for (moment, written) in [(Moment::Before, 0), (Moment::After, 1)] {
        let test = test_environment();
        let faults = Faults::scripted();
        let memory = MemoryStorage::new().with_faults(faults.clone());
        let storage = memory.open(&test.environment).await.unwrap();
        faults.next("append", Fault::Crash(moment));
        assert!(stuck(storage.events.append(one_event(&test, "a"))).await);
        faults.crashed().await;
        assert!(stuck(storage.events.append(one_event(&test, "a"))).await, "nothing works after a crash");
        drop(storage);
        faults.revive();
        let storage = memory.open(&test.environment).await.unwrap();
        assert_eq!(version(&storage, "a").await, written, "{moment:?}");
    }
}

#[tokio::test]
async fn a_crash_rule_can_strike_at_every_await_point() {
    let mut outcomes = Vec::new();
    for number in 0..8 {
        let test = test_environment();
        let faults = Faults::scripted();
        let memory = MemoryStorage::new().with_faults(faults.clone());
        faults.crash_when(move |point| point.number == number);
        let work = async {
            let storage = memory.open(&test.environment).await.unwrap();
            for _ in 0..3 {
                storage.events.append(one_event(&test, "a")).await.unwrap();
            }
        };
        assert!(stuck(Box::pin(work)).await);
        faults.revive();
        let storage = memory.open(&test.environment).await.unwrap();
        outcomes.push(version(&storage, "a").await);
    }
    assert_eq!(outcomes, [0, 0, 0, 1, 1, 2, 2, 3]);
}

/// Runs 300 appends under faults by chance; answers what happened at each await point, and the results.
async fn run(seed: u64) -> (Vec<Point>, Vec<bool>, u64) {
    let rates = FaultRates { fail: 0.1, lose: 0.1, ..FaultRates::default() };
    let faults = Faults::seeded(Arc::new(SeededRandom::new(seed)), rates);
    let points: Arc<Mutex<Vec<Point>>> = Arc::default();
    let record = Arc::clone(&points);
    faults.crash_when(move |point| {
        record.lock().unwrap().push(*point);
        false
    });
    let test = test_environment();
    let memory = MemoryStorage::new();
    let storage = memory.clone().with_faults(faults.clone()).open(&test.environment).await;
    let Ok(storage) = storage else { return (points.lock().unwrap().clone(), Vec::new(), 0) };
    let mut results = Vec::new();
    for _ in 0..300 {
        results.push(storage.events.append(one_event(&test, "a")).await.is_ok());
    }
    let honest = memory.open(&test.environment).await.unwrap();
    let points = points.lock().unwrap().clone();
    (points, results, version(&honest, "a").await)
}

#[tokio::test]
async fn chance_strikes_at_its_rate_and_the_same_seed_strikes_the_same() {
    let (points, results, written) = run(3).await;
    assert_eq!(run(3).await, (points.clone(), results.clone(), written));
    assert_ne!(run(4).await.1, results);
    let answered = results.iter().filter(|answered| **answered).count();
    assert!((210..=265).contains(&answered), "{answered} of 300 succeeded");
    let lost = usize::try_from(written).unwrap() - answered;
    assert!((12..=50).contains(&lost), "{lost} answers were lost");
}

#[tokio::test]
async fn calm_ends_faults_by_chance_but_not_those_of_the_script() {
    let test = test_environment();
    let rates = FaultRates { fail: 1.0, ..FaultRates::default() };
    let faults = Faults::seeded(Arc::new(SeededRandom::new(1)), rates);
    faults.calm(true);
    let storage = MemoryStorage::new().with_faults(faults.clone()).open(&test.environment).await.unwrap();
    storage.events.append(one_event(&test, "a")).await.unwrap();
    faults.fail_next("append");
    assert!(storage.events.append(one_event(&test, "a")).await.is_err());
    faults.calm(false);
    assert!(storage.events.append(one_event(&test, "a")).await.is_err());
}

async fn published(test: &TestEnvironment, faults: &Faults) -> (Vec<Message>, Box<dyn Consumer>) {
    let storage = MemoryStorage::new().open(&test.environment).await.unwrap();
    for n in 0..12 {
        storage.events.append(one_event(test, ["a", "b", "c"][n % 3])).await.unwrap();
    }
    let query = composable_rust_core::port::LogQuery::after(composable_rust_core::Position::ZERO, 100);
    let events = storage.events.read_log(query).await.unwrap().events;
    let messages: Vec<Message> = events.into_iter().map(Message::of).collect();
    let bus = MemoryBus::new(&test.environment).with_faults(faults.clone());
    bus.publish(messages.clone()).await.unwrap();
    (messages, bus.subscribe("group", &["faults".to_owned()]).await.unwrap())
}

fn versions_of(deliveries: &[Delivery], key: &str) -> Vec<StreamVersion> {
    let of_key = deliveries.iter().filter(|delivery| delivery.message.event.stream == stream(key));
    of_key.map(|delivery| delivery.message.event.version).collect()
}

#[tokio::test]
async fn duplicates_are_received_twice_and_reordering_keeps_each_stream_in_order() {
    let test = test_environment();
    let faults = Faults::scripted();
    let (messages, mut consumer) = published(&test, &faults).await;
    faults.next("receive", Fault::Duplicate);
    let first = consumer.receive(100).await.unwrap();
    assert_eq!(first.len(), messages.len());
    assert_eq!(consumer.receive(100).await.unwrap(), first);
    assert!(stuck(consumer.receive(100)).await, "twice, not for ever");

    let (_, mut consumer) = published(&test, &faults).await;
    faults.next("receive", Fault::Reorder);
    let mixed = consumer.receive(100).await.unwrap();
    let keys = |deliveries: &[Delivery]| -> Vec<String> {
        deliveries.iter().map(|delivery| delivery.message.event.stream.key().to_owned()).collect()
    };
    assert_ne!(keys(&mixed), keys(&first));
    for key in ["a", "b", "c"] {
        assert_eq!(versions_of(&mixed, key), versions_of(&first, key), "stream {key} keeps its order");
    }
}

#[tokio::test]
async fn a_lost_answer_of_receive_loses_no_message() {
    let test = test_environment();
    let faults = Faults::scripted();
    let (messages, mut consumer) = published(&test, &faults).await;
    faults.lose_next("receive");
    assert!(consumer.receive(100).await.is_err());
    assert_eq!(consumer.receive(5).await.unwrap().len(), 5);
    assert_eq!(consumer.receive(100).await.unwrap().len(), messages.len() - 5);
}
