//! The in-process bus keeps its limits. Its contract is proven in `testing/tests/it/contract.rs`.

use bytes::Bytes;
use composable_rust_core::port::{BusError, Consumer, EventBus, Message};
use composable_rust_core::{
    EventId, EventMetadata, Position, RecordedEvent, SchemaVersion, StreamId, StreamVersion, derived_uuid,
};
use composable_rust_runtime::bus::{GroupAbsent, GroupProgress, InProcessBus, InProcessBusOptions};
use futures_util::future::poll_immediate;
use jiff::Timestamp;

/// A bus with one partition of four messages.
fn small() -> InProcessBus {
    InProcessBus::new(InProcessBusOptions { partitions: 1, kept_per_partition: 4 })
}

fn messages(versions: std::ops::RangeInclusive<u32>) -> Vec<Message> {
    let message = |version: u32| {
        Message::of(RecordedEvent {
            position: Position::from(version),
            stream: StreamId::new("orders", "a").unwrap(),
            version: StreamVersion::from(version),
            id: EventId::from_uuid(derived_uuid(&["bus", &version.to_string()])),
            event_type: "orders.Placed".into(),
            schema_version: SchemaVersion::FIRST,
            payload: Bytes::from_static(b"1"),
            metadata: EventMetadata::default().encode(),
            recorded_at: Timestamp::UNIX_EPOCH,
        })
    };
    versions.map(message).collect()
}

async fn join(bus: &InProcessBus, group: &str) -> Box<dyn Consumer> {
    bus.subscribe(group, &["orders".to_owned()]).await.unwrap()
}

async fn received(consumer: &mut Box<dyn Consumer>) -> Vec<u64> {
    let deliveries = consumer.receive(100).await.unwrap();
    deliveries.iter().map(|delivery| delivery.message.event.version.get()).collect()
}

#[tokio::test]
async fn a_publisher_waits_until_every_group_has_committed_and_loses_nothing() {
    let bus = small();
    let (mut fast, mut slow) = (join(&bus, "fast").await, join(&bus, "slow").await);
    let mut publishing = bus.publish(messages(1..=7));
    assert!(poll_immediate(&mut publishing).await.is_none(), "four of seven have room");
    let first = fast.receive(100).await.unwrap();
    assert_eq!(first.len(), 4);
    fast.commit(&first).await.unwrap();
    assert!(poll_immediate(&mut publishing).await.is_none(), "the slow group has committed nothing");
    let first = slow.receive(3).await.unwrap();
    slow.commit(&first).await.unwrap();
    poll_immediate(&mut publishing).await.expect("room for three").unwrap();
    assert_eq!(received(&mut fast).await, [5, 6, 7]);
    assert_eq!(received(&mut slow).await, [4, 5, 6, 7]);
}

#[tokio::test]
async fn a_topic_without_groups_keeps_its_newest_messages() {
    let bus = small();
    bus.publish(messages(1..=9)).await.unwrap();
    let mut late = join(&bus, "late").await;
    assert_eq!(late.lag().await.unwrap(), 4);
    assert_eq!(received(&mut late).await, [6, 7, 8, 9]);
}

#[tokio::test]
async fn a_group_without_members_keeps_as_much_as_fits_then_publishers_are_refused_until_it_returns() {
    let bus = small();
    drop(join(&bus, "gone").await);
    bus.publish(messages(1..=4)).await.unwrap();
    let refused = poll_immediate(bus.publish(messages(5..=5))).await.expect("nobody is waited for");
    let Err(BusError::Unavailable { source, .. }) = refused else { panic!("{refused:?}") };
    let absent = GroupAbsent { group: "gone".into(), topic: "orders".into() };
    assert_eq!(source.downcast_ref(), Some(&absent));
    assert_eq!(bus.groups(), [GroupProgress { group: "gone".into(), members: 0, lag: 4 }]);
    let mut back = join(&bus, "gone").await;
    let deliveries = back.receive(100).await.unwrap();
    assert_eq!(deliveries.len(), 4, "nothing was lost");
    back.commit(&deliveries).await.unwrap();
    bus.publish(messages(5..=5)).await.unwrap();
    assert_eq!(bus.groups(), [GroupProgress { group: "gone".into(), members: 1, lag: 1 }]);
}

#[tokio::test]
async fn removing_a_group_frees_what_it_kept() {
    let bus = small();
    drop(join(&bus, "gone").await);
    assert!(bus.publish(messages(1..=5)).await.is_err());
    bus.remove_group("gone");
    bus.publish(messages(5..=9)).await.unwrap();
    assert_eq!(bus.groups(), []);
}

#[tokio::test]
async fn a_publisher_does_not_wait_for_a_member_that_has_left() {
    let bus = small();
    let slow = join(&bus, "slow").await;
    let mut publishing = bus.publish(messages(1..=5));
    assert!(poll_immediate(&mut publishing).await.is_none(), "its member may commit any moment");
    drop(slow);
    let refused = poll_immediate(&mut publishing).await.expect("nobody is waited for");
    assert!(matches!(refused, Err(BusError::Unavailable { .. })), "{refused:?}");
}

#[tokio::test]
async fn members_of_a_removed_group_are_told() {
    let bus = small();
    let mut member = join(&bus, "gone").await;
    let mut receiving = member.receive(1);
    assert!(poll_immediate(&mut receiving).await.is_none());
    bus.remove_group("gone");
    assert!(matches!(receiving.await, Err(BusError::Closed)));
    assert!(matches!(member.lag().await, Err(BusError::Closed)));
}

#[tokio::test]
async fn closing_wakes_publishers_and_consumers() {
    let bus = small();
    let (mut idle, _full) = (join(&bus, "idle").await, join(&bus, "full").await);
    let mut other = bus.subscribe("other", &["payments".to_owned()]).await.unwrap();
    let mut publishing = bus.publish(messages(1..=5));
    assert!(poll_immediate(&mut publishing).await.is_none());
    let mut receiving = other.receive(1);
    assert!(poll_immediate(&mut receiving).await.is_none());
    bus.close();
    assert!(matches!(publishing.await, Err(BusError::Closed)));
    assert!(matches!(receiving.await, Err(BusError::Closed)));
    assert!(matches!(idle.commit(&[]).await, Err(BusError::Closed)));
    assert!(matches!(bus.subscribe("new", &[]).await, Err(BusError::Closed)));
}

#[tokio::test]
async fn a_busy_partition_does_not_starve_the_others() {
    let bus = InProcessBus::new(InProcessBusOptions { partitions: 8, kept_per_partition: 1_000 });
    let mut all = Vec::new();
    for key in 0..40 {
        for mut message in messages(1..=20) {
            std::sync::Arc::make_mut(&mut message.event).stream =
                StreamId::new("orders", &key.to_string()).unwrap();
            all.push(message);
        }
    }
    bus.publish(all).await.unwrap();
    let mut consumer = join(&bus, "group").await;
    let mut partitions = std::collections::BTreeSet::new();
    for _ in 0..8 {
        partitions.extend(consumer.receive(2).await.unwrap().iter().map(|delivery| delivery.partition));
    }
    assert_eq!(partitions.len(), 8, "each partition had its turn within eight receives");
}
