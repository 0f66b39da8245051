//! Members that come and go, read slowly, or meet what nobody can read.

use crate::support::{Received, assert_in_order, brokers, message, options, receive};
use composable_rust_core::EventId;
use composable_rust_core::port::{BusError, Consumer, Delivery, EventBus};
use composable_rust_redpanda::{RedpandaEventBus, RedpandaOptions, headers};
use futures_util::future::poll_immediate;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;

const STREAMS: u32 = 40;

fn orders() -> Vec<String> {
    vec!["orders".to_owned()]
}

/// What all members together have received, in the order of receiving.
#[derive(Default)]
struct Log {
    deliveries: Mutex<Vec<Delivery>>,
    different: Mutex<BTreeSet<EventId>>,
    grown: Notify,
}

impl Log {
    fn note(&self, received: &[Delivery]) {
        self.deliveries.lock().unwrap().extend(received.iter().cloned());
        self.different.lock().unwrap().extend(received.iter().map(|delivery| delivery.message.event.id));
        self.grown.notify_one();
    }
}

/// Receives, notes and commits until it is dropped.
async fn read(bus: RedpandaEventBus, log: Arc<Log>) {
    let mut consumer = bus.subscribe("group", &orders()).await.unwrap();
    loop {
        let received = consumer.receive(13).await.unwrap();
        log.note(&received);
        consumer.commit(&received).await.unwrap();
    }
}

/// Publishes one event to each stream, again and again.
async fn publish(bus: RedpandaEventBus, rounds: u32) {
    for round in 1..=rounds {
        let batch = (0..STREAMS).map(|stream| message("orders", &format!("s{stream}"), round)).collect();
        bus.publish(batch).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_come_and_go_under_load_lose_nothing() {
    const ROUNDS: u32 = 500;
    let bus = RedpandaEventBus::connect(options()).await.unwrap();
    let log = Arc::new(Log::default());
    let (mut tasks, mut members) = (JoinSet::new(), VecDeque::new());
    tasks.spawn(publish(bus.clone(), ROUNDS));
    let all = (STREAMS * ROUNDS) as usize;
    let reading = async {
        let mut next_change = 0;
        loop {
            let noted = log.different.lock().unwrap().len();
            if noted == all {
                return;
            }
            // One joins, and when there are three, the oldest falls over in the middle of its work.
            if noted >= next_change {
                members.push_back(tasks.spawn(read(bus.clone(), Arc::clone(&log))));
                if members.len() > 3 {
                    members.pop_front().unwrap().abort();
                }
                next_change = noted + all / 8;
            }
            log.grown.notified().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(2), reading).await.expect("all is received");
    assert_in_order(log.deliveries.lock().unwrap().iter());
}

#[tokio::test]
async fn a_publish_that_is_dropped_and_made_again_keeps_the_order() {
    let bus = RedpandaEventBus::connect(options()).await.unwrap();
    let mut consumer = bus.subscribe("group", &orders()).await.unwrap();
    for round in 0..20_u32 {
        let batch: Vec<_> = (1..=20).map(|version| message("orders", "a", round * 20 + version)).collect();
        // Begun, and given up with all that is under way.
        assert!(poll_immediate(bus.publish(batch.clone())).await.is_none());
        bus.publish(batch).await.unwrap();
    }
    assert_in_order(receive(&mut consumer, 400).await.iter());
}

#[tokio::test]
async fn a_slow_reader_keeps_a_limited_number_and_stays_in_its_group() {
    let options = RedpandaOptions { buffer_messages: 50, ..options() };
    let bus = RedpandaEventBus::connect(options).await.unwrap();
    let mut slow = bus.subscribe("slow", &orders()).await.unwrap();
    let mut idle = bus.subscribe("idle", &["nothing".to_owned()]).await.unwrap();
    publish(bus.clone(), 50).await;
    let mut received: Vec<Delivery> = Vec::new();
    for pause in 0..3 {
        received.extend(slow.receive(1).await.unwrap());
        // Long enough for its partitions to be paused.
        let nothing = tokio::time::timeout(Duration::from_secs(2), idle.receive(1)).await;
        assert!(nothing.is_err(), "pause {pause}");
    }
    while Received::different_of(&received) < 2_000 {
        let some = tokio::time::timeout(Duration::from_mins(1), slow.receive(10_000)).await.unwrap().unwrap();
        assert!(some.len() <= 51, "{} were kept", some.len());
        received.extend(some);
    }
    assert_in_order(received.iter());
    assert_eq!(received.len(), 2_000, "nothing came twice, so it never left the group");
    slow.commit(&received).await.unwrap();
    assert_eq!(slow.lag().await.unwrap(), 0);
}

/// Messages of somebody else, on one of our topics: without a key, without headers, without a value, with a bad number.
async fn publish_garbage(topic: &str) -> u64 {
    let producer: FutureProducer =
        rdkafka::ClientConfig::new().set("bootstrap.servers", brokers()).create().unwrap();
    let header = |all: OwnedHeaders, key, value| all.insert(Header { key, value: Some(value) });
    let bad = header(OwnedHeaders::new(), headers::RECORDED_AT, "yesterday");
    let records: [FutureRecord<'_, str, str>; 4] = [
        FutureRecord::to(topic).payload("no key").partition(0),
        FutureRecord::to(topic).payload("no headers").key("order/a").partition(0),
        FutureRecord::to(topic).key("order/a").partition(0),
        FutureRecord::to(topic).payload("{}").key("order/a").headers(bad).partition(0),
    ];
    let count = records.len() as u64;
    for record in records {
        producer.send(record, Duration::from_secs(10)).await.unwrap();
    }
    count
}

/// The places of what cannot be read, until `count` events have come.
async fn read_past_garbage(consumer: &mut Box<dyn Consumer>, count: usize) -> Vec<(u32, u64)> {
    let (mut events, mut garbage) = (0, Vec::new());
    while events < count {
        match tokio::time::timeout(Duration::from_mins(1), consumer.receive(10)).await.unwrap() {
            Ok(received) => events += received.len(),
            Err(BusError::Malformed { topic, partition, offset, reason }) => {
                assert!(topic == "orders" && !reason.is_empty());
                garbage.push((partition, offset));
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    garbage
}

#[tokio::test]
async fn what_nobody_can_read_is_told_with_its_place_and_keeps_nobody_waiting() {
    let options = RedpandaOptions { partitions: 1, ..options() };
    let topic = format!("{}orders", options.prefix);
    let bus = RedpandaEventBus::connect(options).await.unwrap();
    bus.publish(vec![message("orders", "a", 1)]).await.unwrap();
    let count = publish_garbage(&topic).await;
    bus.publish(vec![message("orders", "a", 2)]).await.unwrap();

    let mut consumer = bus.subscribe("group", &orders()).await.unwrap();
    let garbage = read_past_garbage(&mut consumer, 2).await;
    let places: Vec<_> = (1..=count).map(|offset| (0, offset)).collect();
    assert_eq!(garbage, places);
    // Parked, all but the last: the next member hears of that one again, and of nothing before it.
    consumer.skip("orders", 0, count - 1).await.unwrap();
    assert_eq!(consumer.lag().await.unwrap(), 2);
    drop(consumer);
    let mut next = bus.subscribe("group", &orders()).await.unwrap();
    assert_eq!(read_past_garbage(&mut next, 1).await, [(0, count)]);
}
