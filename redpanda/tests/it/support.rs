//! Buses with topics and groups of their own, and events to send.

use bytes::Bytes;
use composable_rust_core::port::{Consumer, Delivery, Message};
use composable_rust_core::{
    EventId, EventMetadata, Position, RecordedEvent, SchemaVersion, StreamId, StreamVersion, derived_uuid,
};
use composable_rust_redpanda::RedpandaOptions;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A broker that other tests use too.
pub(crate) fn brokers() -> String {
    variable("TEST_KAFKA_BROKERS")
}

/// What `cargo xtask services` says.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: eval \"$(cargo xtask services up --only kafka)\""))
}

#[expect(clippy::disallowed_methods, reason = "runs share a broker and must not meet")]
fn any_number() -> u64 {
    rand::random()
}

/// Options under a name that no other test has, in this run or another.
pub(crate) fn options() -> RedpandaOptions {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let (run, number) = (any_number(), NEXT.fetch_add(1, Ordering::Relaxed));
    let prefix = format!("test-{run:x}-{number}.");
    // Patient: the machine is busy.
    let publish_timeout = Duration::from_mins(1);
    let answer_timeout = Duration::from_secs(30);
    RedpandaOptions {
        prefix,
        partitions: 4,
        publish_timeout,
        answer_timeout,
        ..RedpandaOptions::new(brokers())
    }
}

/// The event `version` of the stream `key`.
pub(crate) fn message(topic: &str, key: &str, version: u32) -> Message {
    let event = RecordedEvent {
        position: Position::from(version),
        stream: StreamId::new("order", key).unwrap(),
        version: StreamVersion::from(version),
        id: EventId::from_uuid(derived_uuid(&[topic, key, &version.to_string()])),
        event_type: "order.Happened".into(),
        schema_version: SchemaVersion::FIRST,
        payload: Bytes::from(format!("{{\"version\":{version}}}")),
        metadata: EventMetadata::default().encode(),
        recorded_at: Timestamp::from_microsecond(1_772_366_400_123_456).unwrap(),
    };
    Message { topic: topic.to_owned(), ..Message::of(event) }
}

/// Deliveries, repeats included.
pub(crate) struct Received(Vec<Delivery>);

impl Received {
    pub(crate) fn different(&self) -> usize {
        Self::different_of(&self.0)
    }

    /// How many different events there are.
    pub(crate) fn different_of(deliveries: &[Delivery]) -> usize {
        deliveries.iter().map(|delivery| delivery.message.event.id).collect::<BTreeSet<_>>().len()
    }
}

impl Deref for Received {
    type Target = [Delivery];

    fn deref(&self) -> &[Delivery] {
        &self.0
    }
}

/// Receives until so many different events have come; tries again when the brokers are away.
pub(crate) async fn receive(consumer: &mut Box<dyn Consumer>, count: usize) -> Received {
    let (mut deliveries, mut seen) = (Vec::new(), BTreeSet::new());
    while seen.len() < count {
        let received = tokio::time::timeout(Duration::from_mins(2), consumer.receive(1_000)).await;
        let received = received.unwrap_or_else(|_| panic!("{} of {count} have come", seen.len()));
        for delivery in received.unwrap_or_default() {
            seen.insert(delivery.message.event.id);
            deliveries.push(delivery);
        }
    }
    Received(deliveries)
}

/// Each event of a stream comes for the first time after the one before.
pub(crate) fn assert_in_order<'a>(deliveries: impl Iterator<Item = &'a Delivery>) {
    let mut newest: BTreeMap<StreamId, u64> = BTreeMap::new();
    for delivery in deliveries {
        let event = &delivery.message.event;
        let (newest, version) = (newest.entry(event.stream.clone()).or_default(), event.version.get());
        assert!(version <= *newest + 1, "version {version} of {} came after {newest}", event.stream);
        *newest = version.max(*newest);
    }
}
