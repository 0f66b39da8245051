//! The contract of the bus: order, groups, redelivery, lag.

use super::fixture::stream;
use super::run::Prepare;
use bytes::Bytes;
use composable_rust_core::port::{Consumer, Delivery, EventBus, MAX_PAYLOAD_BYTES, Message};
use composable_rust_core::{
    EventId, EventMetadata, Position, RecordedEvent, SchemaVersion, Signal, StreamId, StreamVersion,
    derived_uuid,
};
use futures_util::future::poll_immediate;
use jiff::Timestamp;
use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Runs the contract of [`EventBus`](composable_rust_core::port::EventBus) on what `factory` makes: an
/// `async fn() -> BusSubject`.
///
/// ```
/// use composable_rust_runtime::bus::InProcessBus;
/// use composable_rust_testing::contract::BusSubject;
///
/// async fn fresh() -> BusSubject {
///     BusSubject::new(InProcessBus::default())
/// }
///
/// mod bus {
///     composable_rust_testing::bus_contract!(super::fresh);
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! bus_contract {
    ($factory:path) => {
        $crate::contract_cases!(
            $factory,
            bus,
            [
                a_message_is_delivered_as_it_was_published,
                a_payload_of_the_limit_is_delivered,
                publishing_nothing_is_no_failure,
                the_messages_of_a_stream_keep_their_order,
                receive_gives_at_most_the_limit,
                receive_waits_for_the_next_message,
                a_dropped_receive_loses_nothing,
                what_was_not_committed_is_delivered_to_the_next_member,
                a_commit_covers_all_earlier_messages_of_the_partition,
                an_older_commit_does_not_take_back_a_newer_one,
                groups_are_independent,
                a_new_group_starts_with_the_oldest_message,
                members_of_a_group_share_without_overlap_of_a_stream,
                the_work_of_a_member_that_leaves_passes_to_the_others,
                topics_are_apart,
                lag_counts_what_is_not_committed,
            ]
        );
    };
}

/// A bus to test: fresh, empty, and not shared with another case. An adapter of a shared broker gives each subject
/// topics and groups of its own, by a prefix.
#[derive(Debug)]
pub struct BusSubject {
    bus: Arc<dyn EventBus>,
    held: Vec<Box<dyn Any + Send + Sync>>,
}

impl BusSubject {
    /// The bus under test.
    pub fn new(bus: impl EventBus + 'static) -> Self {
        Self { bus: Arc::new(bus), held: Vec::new() }
    }

    /// Keeps `thing` (a container, a directory) until the case has ended.
    #[must_use]
    pub fn holding(mut self, thing: impl Any + Send + Sync) -> Self {
        self.held.push(Box::new(thing));
        self
    }
}

impl Prepare for BusSubject {
    type Fixture = BusFixture;

    async fn prepare(self) -> BusFixture {
        BusFixture { subject: self }
    }
}

/// What the cases work with.
#[derive(Debug)]
pub struct BusFixture {
    subject: BusSubject,
}

impl BusFixture {
    /// Publishes to the topic `topic` the events `versions` of the stream `key`.
    pub async fn publish(&self, topic: &str, key: &str, versions: std::ops::RangeInclusive<u32>) {
        let messages = versions.map(|version| message(topic, key, version)).collect();
        self.publish_all(messages).await;
    }

    /// Publishes messages.
    pub async fn publish_all(&self, messages: Vec<Message>) {
        in_time("publish", self.subject.bus.publish(messages)).await.expect("published");
    }

    /// Joins a group.
    pub async fn join(&self, group: &str, topics: &[&str]) -> Box<dyn Consumer> {
        let topics: Vec<String> = topics.iter().map(ToString::to_string).collect();
        in_time("subscribe", self.subject.bus.subscribe(group, &topics)).await.expect("a consumer")
    }
}

/// The result of `work`, which must not take longer than a broker may need to deal out partitions.
async fn in_time<T>(doing: &str, work: impl Future<Output = T>) -> T {
    let limit = Duration::from_mins(1);
    let Ok(done) = tokio::time::timeout(limit, work).await else {
        panic!("{doing} took longer than {limit:?}");
    };
    done
}

/// The event `version` of a stream, on `topic`.
fn message(topic: &str, key: &str, version: u32) -> Message {
    let recorded = RecordedEvent {
        position: Position::from(version),
        stream: stream(key),
        version: StreamVersion::from(version),
        id: EventId::from_uuid(derived_uuid(&[topic, key, &version.to_string()])),
        event_type: "contract.Happened".into(),
        schema_version: SchemaVersion::new(3),
        payload: Bytes::from(format!("{{\"text\":\"O'Brien 🎟\",\"version\":{version}}}")),
        metadata: EventMetadata { trace_parent: Some("00-ab-cd-01".into()), ..EventMetadata::default() }
            .encode(),
        recorded_at: Timestamp::from_microsecond(1_772_366_400_123_456).expect("a time"),
    };
    Message { topic: topic.to_owned(), ..Message::of(recorded) }
}

/// What names a message in these cases: topic, stream and version.
type Name = (String, StreamId, u64);

fn name(delivery: &Delivery) -> Name {
    let Message { topic, event } = &delivery.message;
    (topic.clone(), event.stream.clone(), event.version.get())
}

/// Receives until `count` different messages have come; at most `limit` at once. Repeats are kept.
async fn receive(consumer: &mut Box<dyn Consumer>, count: usize, limit: usize) -> Vec<Delivery> {
    let (mut names, mut deliveries) = (BTreeSet::new(), Vec::new());
    while names.len() < count {
        let doing = format!("receiving message {} of {count}", names.len() + 1);
        let received = in_time(&doing, consumer.receive(limit)).await.expect("messages");
        assert!(received.len() <= limit, "{} messages at once, {limit} were asked for", received.len());
        names.extend(received.iter().map(name));
        deliveries.extend(received);
    }
    deliveries
}

async fn commit(consumer: &mut Box<dyn Consumer>, deliveries: &[Delivery]) {
    in_time("commit", consumer.commit(deliveries)).await.expect("committed");
}

/// Each version of a stream comes for the first time after the one before.
fn assert_in_stream_order(deliveries: &[Delivery]) {
    let mut newest: BTreeMap<(String, StreamId), u64> = BTreeMap::new();
    for (topic, stream, version) in deliveries.iter().map(name) {
        let newest = newest.entry((topic, stream.clone())).or_default();
        assert!(version <= *newest + 1, "version {version} of {stream} came after version {newest}");
        *newest = version.max(*newest);
    }
}

/// Topic, envelope, payload and metadata.
pub async fn a_message_is_delivered_as_it_was_published(fixture: BusFixture) {
    let mut consumer = fixture.join("group", &["orders"]).await;
    let mut published = message("orders", "50% of O'Brien's/käse_🎟", 7);
    Arc::make_mut(&mut published.event).payload = Bytes::from_static(b"any bytes \x00\xff\xfe");
    fixture.publish_all(vec![published.clone()]).await;
    let received = receive(&mut consumer, 1, 10).await;
    assert_eq!(received[0].message, published);
}

/// What the event store keeps the bus carries.
pub async fn a_payload_of_the_limit_is_delivered(fixture: BusFixture) {
    let mut consumer = fixture.join("group", &["orders"]).await;
    let mut published = message("orders", "a", 1);
    Arc::make_mut(&mut published.event).payload = vec![b'7'; MAX_PAYLOAD_BYTES].into();
    fixture.publish_all(vec![published.clone()]).await;
    assert_eq!(receive(&mut consumer, 1, 10).await[0].message, published);
}

/// An empty list.
pub async fn publishing_nothing_is_no_failure(fixture: BusFixture) {
    fixture.publish_all(Vec::new()).await;
    let mut consumer = fixture.join("group", &["orders"]).await;
    fixture.publish("orders", "a", 1..=1).await;
    assert_eq!(receive(&mut consumer, 1, 10).await.len(), 1);
}

/// Whatever the pages of the publisher and of the consumer.
pub async fn the_messages_of_a_stream_keep_their_order(fixture: BusFixture) {
    let mut consumer = fixture.join("group", &["orders"]).await;
    for start in [1, 11, 21] {
        let messages = (start..start + 10)
            .flat_map(|n| (0..10).map(move |key| message("orders", &format!("s{key}"), n)));
        fixture.publish_all(messages.collect()).await;
    }
    let deliveries = receive(&mut consumer, 300, 7).await;
    assert_in_stream_order(&deliveries);
    commit(&mut consumer, &deliveries).await;
    let mut offsets: BTreeMap<u32, u64> = BTreeMap::new();
    for delivery in &deliveries {
        let newest = offsets.insert(delivery.partition, delivery.offset);
        assert!(newest.is_none_or(|newest| newest < delivery.offset), "offsets of a partition grow");
    }
}

/// Limits of one and more than there is.
pub async fn receive_gives_at_most_the_limit(fixture: BusFixture) {
    let mut consumer = fixture.join("group", &["orders"]).await;
    fixture.publish("orders", "a", 1..=20).await;
    for (count, limit) in [(1, 1), (4, 2), (15, 1_000)] {
        receive(&mut consumer, count, limit).await;
    }
}

/// Without polling: the future completes when there is something.
pub async fn receive_waits_for_the_next_message(fixture: BusFixture) {
    let mut consumer = fixture.join("group", &["orders"]).await;
    let received = in_time("receiving", async {
        futures_util::join!(consumer.receive(10), fixture.publish("orders", "a", 1..=1)).0
    });
    assert_eq!(received.await.expect("a message").len(), 1);
}

/// A consumer that waits for several things at once drops `receive` again and again.
pub async fn a_dropped_receive_loses_nothing(fixture: BusFixture) {
    let mut consumer = fixture.join("group", &["orders"]).await;
    let mut received = Vec::new();
    for version in 1..=30 {
        if let Some(early) = poll_immediate(consumer.receive(10)).await {
            received.extend(early.expect("messages"));
        }
        fixture.publish("orders", "a", version..=version).await;
        if let Some(early) = poll_immediate(consumer.receive(10)).await {
            received.extend(early.expect("messages"));
        }
    }
    let names: BTreeSet<Name> = received.iter().map(name).collect();
    received.extend(receive(&mut consumer, 30 - names.len(), 10).await);
    assert_in_stream_order(&received);
    assert_eq!(received.iter().map(name).collect::<BTreeSet<_>>().len(), 30);
}

/// At least once: a member that fails before it commits loses nothing; what it committed does not come again.
pub async fn what_was_not_committed_is_delivered_to_the_next_member(fixture: BusFixture) {
    for key in ["a", "b", "c"] {
        fixture.publish("orders", key, 1..=10).await;
    }
    let mut first = fixture.join("group", &["orders"]).await;
    let deliveries = receive(&mut first, 30, 100).await;
    let mut newest_done: BTreeMap<u32, u64> = BTreeMap::new();
    let done: Vec<Delivery> = deliveries.iter().filter(|done| name(done).2 <= 4).cloned().collect();
    for delivery in &done {
        let newest = newest_done.entry(delivery.partition).or_default();
        *newest = delivery.offset.max(*newest);
    }
    commit(&mut first, &done).await;
    drop(first);
    let open = |delivery: &&Delivery| {
        newest_done.get(&delivery.partition).is_none_or(|newest| delivery.offset > *newest)
    };
    let expected: BTreeSet<Name> = deliveries.iter().filter(open).map(name).collect();
    assert!(!expected.is_empty());
    let mut second = fixture.join("group", &["orders"]).await;
    let again = receive(&mut second, expected.len(), 100).await;
    assert_eq!(again.iter().map(name).collect::<BTreeSet<_>>(), expected);
}

/// Committing the last message of a partition is enough.
pub async fn a_commit_covers_all_earlier_messages_of_the_partition(fixture: BusFixture) {
    let mut first = fixture.join("group", &["orders"]).await;
    fixture.publish("orders", "a", 1..=10).await;
    let deliveries = receive(&mut first, 10, 3).await;
    let last = deliveries.iter().max_by_key(|delivery| delivery.offset).expect("a delivery");
    commit(&mut first, std::slice::from_ref(last)).await;
    drop(first);
    let mut second = fixture.join("group", &["orders"]).await;
    fixture.publish("orders", "a", 11..=11).await;
    assert_eq!(name(&receive(&mut second, 1, 10).await[0]).2, 11);
}

/// Commits may arrive in any order.
pub async fn an_older_commit_does_not_take_back_a_newer_one(fixture: BusFixture) {
    let mut first = fixture.join("group", &["orders"]).await;
    fixture.publish("orders", "a", 1..=10).await;
    let deliveries = receive(&mut first, 10, 100).await;
    commit(&mut first, &deliveries).await;
    commit(&mut first, &deliveries[..1]).await;
    drop(first);
    let mut second = fixture.join("group", &["orders"]).await;
    fixture.publish("orders", "a", 11..=11).await;
    assert_eq!(name(&receive(&mut second, 1, 10).await[0]).2, 11);
}

/// Each gets everything, at its own pace.
pub async fn groups_are_independent(fixture: BusFixture) {
    let mut fast = fixture.join("fast", &["orders"]).await;
    let mut slow = fixture.join("slow", &["orders"]).await;
    fixture.publish("orders", "a", 1..=10).await;
    let deliveries = receive(&mut fast, 10, 100).await;
    commit(&mut fast, &deliveries).await;
    fixture.publish("orders", "a", 11..=20).await;
    let deliveries = receive(&mut slow, 20, 3).await;
    assert_in_stream_order(&deliveries);
    assert_eq!(receive(&mut fast, 10, 100).await.iter().map(name).map(|name| name.2).min(), Some(11));
}

/// What was published before it existed is not lost to it.
pub async fn a_new_group_starts_with_the_oldest_message(fixture: BusFixture) {
    fixture.publish("orders", "a", 1..=10).await;
    let mut early = fixture.join("early", &["orders"]).await;
    let deliveries = receive(&mut early, 10, 100).await;
    commit(&mut early, &deliveries).await;
    fixture.publish("orders", "a", 11..=12).await;
    let mut late = fixture.join("late", &["orders"]).await;
    assert_in_stream_order(&receive(&mut late, 12, 100).await);
}

/// What the members of a group have received, and a signal that counts it.
#[derive(Default)]
struct Readers {
    seen: Mutex<Vec<(usize, Name)>>,
    progress: Signal,
    stop: Signal,
}

impl Readers {
    fn seen(&self) -> MutexGuard<'_, Vec<(usize, Name)>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Receives, commits and records until told to stop.
    async fn read(&self, member: usize, mut consumer: Box<dyn Consumer>) {
        loop {
            let received = tokio::select! {
                biased;
                () = self.stop.reached(Position::from(1)) => return,
                received = consumer.receive(7) => received.expect("messages"),
            };
            commit(&mut consumer, &received).await;
            let mut seen = self.seen();
            seen.extend(received.iter().map(|delivery| (member, name(delivery))));
            let different = seen.iter().map(|(_, name)| name).collect::<BTreeSet<_>>().len();
            self.progress.advance(Position::ZERO.plus(different as u64));
        }
    }

    /// Publishes one message to each of 40 streams, as their event `version`, and waits until all were received.
    async fn round(&self, fixture: &BusFixture, version: u32) {
        let messages = (0..40).map(|key| message("orders", &format!("s{key}"), version)).collect();
        fixture.publish_all(messages).await;
        in_time("receiving a round", self.progress.reached(Position::from(version * 40))).await;
    }

    /// Runs rounds until both members got something of one (then the partitions are dealt out), and then five more;
    /// answers the last round before those.
    async fn rounds(&self, fixture: &BusFixture) -> u32 {
        let mut settled = 0;
        let both = |settled: u32| {
            let seen = self.seen();
            let of =
                |wanted| seen.iter().any(|(member, name)| *member == wanted && name.2 == u64::from(settled));
            of(0) && of(1)
        };
        while settled == 0 || !both(settled) {
            settled += 1;
            assert!(settled <= 1_000, "one member got nothing in {settled} rounds over 40 streams");
            self.round(fixture, settled).await;
        }
        for version in settled + 1..=settled + 5 {
            self.round(fixture, version).await;
        }
        self.stop.advance(Position::from(1));
        settled
    }
}

/// Each stream is read by one member, in order; together they get everything.
pub async fn members_of_a_group_share_without_overlap_of_a_stream(fixture: BusFixture) {
    let (one, two) = (fixture.join("group", &["orders"]).await, fixture.join("group", &["orders"]).await);
    let readers = Readers::default();
    let (settled, (), ()) =
        futures_util::join!(readers.rounds(&fixture), readers.read(0, one), readers.read(1, two));
    let mut readers_of: BTreeMap<StreamId, BTreeSet<usize>> = BTreeMap::new();
    let mut newest: BTreeMap<StreamId, u64> = BTreeMap::new();
    for (member, (_, stream, version)) in
        readers.seen().iter().filter(|(_, name)| name.2 > u64::from(settled))
    {
        readers_of.entry(stream.clone()).or_default().insert(*member);
        let before = newest.insert(stream.clone(), *version).unwrap_or(u64::from(settled));
        assert!(*version <= before + 1, "version {version} of {stream} came after {before}");
    }
    assert_eq!(readers_of.len(), 40);
    let shared: Vec<&StreamId> =
        readers_of.iter().filter(|(_, members)| members.len() > 1).map(|(stream, _)| stream).collect();
    assert!(shared.is_empty(), "both members got messages of {shared:?}");
}

/// Nothing waits for a member that is gone, nor is lost with it.
pub async fn the_work_of_a_member_that_leaves_passes_to_the_others(fixture: BusFixture) {
    let mut leaving = fixture.join("group", &["orders"]).await;
    let mut staying = fixture.join("group", &["orders"]).await;
    let messages = (1..=5).flat_map(|n| (0..40).map(move |key| message("orders", &format!("s{key}"), n)));
    fixture.publish_all(messages.collect()).await;
    for _ in 0..5 {
        drop(poll_immediate(leaving.receive(3)).await);
    }
    drop(leaving);
    assert_in_stream_order(&receive(&mut staying, 200, 50).await);
}

/// A consumer gets the topics that it asked for, and all of them.
pub async fn topics_are_apart(fixture: BusFixture) {
    let mut orders = fixture.join("orders", &["orders"]).await;
    let mut both = fixture.join("both", &["orders", "payments"]).await;
    fixture.publish("payments", "a", 1..=5).await;
    fixture.publish("orders", "a", 1..=5).await;
    fixture.publish("other", "a", 1..=5).await;
    let deliveries = receive(&mut orders, 5, 100).await;
    assert!(deliveries.iter().all(|delivery| delivery.message.topic == "orders"));
    let deliveries = receive(&mut both, 10, 100).await;
    assert!(deliveries.iter().all(|delivery| delivery.message.topic != "other"));
    assert_in_stream_order(&deliveries);
}

/// Of the group, over its topics.
pub async fn lag_counts_what_is_not_committed(fixture: BusFixture) {
    let mut one = fixture.join("one", &["orders", "payments"]).await;
    let two = fixture.join("two", &["orders"]).await;
    assert_eq!(in_time("lag", one.lag()).await.expect("a number"), 0);
    fixture.publish("orders", "a", 1..=5).await;
    fixture.publish("payments", "b", 1..=3).await;
    assert_eq!(in_time("lag", one.lag()).await.expect("a number"), 8);
    let deliveries = receive(&mut one, 8, 100).await;
    commit(&mut one, &deliveries).await;
    assert_eq!(in_time("lag", one.lag()).await.expect("a number"), 0);
    assert_eq!(in_time("lag", two.lag()).await.expect("a number"), 5);
}
