//! Topics that are not as they must be, and messages that do not fit.

use crate::support::{message, options, receive};
use bytes::Bytes;
use composable_rust_core::port::{BusError, EventBus};
use composable_rust_redpanda::{RedpandaEventBus, RedpandaOptions};
use std::sync::Arc;

fn orders() -> Vec<String> {
    vec!["orders".to_owned()]
}

/// What the setup says, with the topic's name in it.
fn advice(outcome: Result<(), BusError>, options: &RedpandaOptions) -> String {
    let Err(BusError::Setup(text)) = outcome else { panic!("{outcome:?} is no advice") };
    assert!(text.contains(&format!("{}orders", options.prefix)), "{text}");
    text
}

#[tokio::test]
async fn too_few_partitions_are_refused_with_what_to_do() {
    let options = options();
    RedpandaEventBus::connect(options.clone()).await.unwrap().ensure_topics(&orders()).await.unwrap();
    let more = RedpandaEventBus::new(RedpandaOptions { partitions: 12, ..options.clone() }).unwrap();
    let text = advice(more.ensure_topics(&orders()).await, &options);
    assert!(text.contains("4 partitions of the 12") && text.contains("add partitions"), "{text}");
    advice(more.publish(vec![message("orders", "a", 1)]).await, &options);
    advice(more.subscribe("group", &orders()).await.map(|_| ()), &options);
    let fewer = RedpandaEventBus::new(RedpandaOptions { partitions: 2, ..options }).unwrap();
    fewer.ensure_topics(&orders()).await.unwrap();
}

#[tokio::test]
async fn a_topic_that_nobody_may_make_is_missed_with_what_to_do() {
    let options = RedpandaOptions { create_topics: false, ..options() };
    let bus = RedpandaEventBus::new(options.clone()).unwrap();
    let text = advice(bus.ensure_topics(&orders()).await, &options);
    assert!(text.contains("create it with 4 partitions"), "{text}");
    let making = RedpandaEventBus::new(RedpandaOptions { create_topics: true, ..options }).unwrap();
    making.ensure_topics(&orders()).await.unwrap();
    bus.ensure_topics(&orders()).await.unwrap();
}

#[tokio::test]
async fn more_copies_than_brokers_are_refused_with_what_to_do() {
    let options = options();
    let many = RedpandaOptions { replication: Some(99), ..options.clone() };
    let text = advice(RedpandaEventBus::new(many.clone()).unwrap().ensure_topics(&orders()).await, &options);
    assert!(text.contains("fewer brokers than the 99 copies"), "{text}");
    RedpandaEventBus::new(options.clone()).unwrap().ensure_topics(&orders()).await.unwrap();
    let there = RedpandaOptions { create_topics: false, ..many };
    let text = advice(RedpandaEventBus::new(there).unwrap().ensure_topics(&orders()).await, &options);
    assert!(text.contains("brokers of the 99 wanted"), "{text}");
}

#[tokio::test]
async fn a_topic_for_smaller_messages_is_refused_with_what_to_do() {
    let options = options();
    let small = RedpandaOptions { max_message_bytes: 100_000, ..options.clone() };
    RedpandaEventBus::new(small).unwrap().ensure_topics(&orders()).await.unwrap();
    let text =
        advice(RedpandaEventBus::new(options.clone()).unwrap().ensure_topics(&orders()).await, &options);
    assert!(text.contains("max.message.bytes to 2097152"), "{text}");
}

#[tokio::test]
async fn a_large_message_passes_and_of_a_batch_with_one_too_large_nothing_does() {
    let bus = RedpandaEventBus::connect(options()).await.unwrap();
    let mut consumer = bus.subscribe("group", &orders()).await.unwrap();
    // Such as no compression makes smaller.
    let noise = |bytes: u32| {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        };
        Bytes::from((0..bytes).map(|_| next()).collect::<Vec<u8>>())
    };
    let sized = |version, bytes| {
        let mut sized = message("orders", "a", version);
        Arc::make_mut(&mut sized.event).payload = noise(bytes);
        sized
    };
    let refused = bus.publish(vec![message("orders", "a", 1), sized(2, 3 * 1024 * 1024)]).await.unwrap_err();
    assert!(refused.to_string().contains("raise `max_message_bytes`"), "{refused}");
    assert_eq!(consumer.lag().await.unwrap(), 0);
    bus.publish(vec![sized(1, 1024 * 1024), sized(2, 1024 * 1024)]).await.unwrap();
    let received = receive(&mut consumer, 2).await;
    assert!(received.iter().all(|delivery| delivery.message.event.payload == noise(1024 * 1024)));
}

#[tokio::test]
async fn a_name_that_no_topic_can_have_is_refused() {
    let bus = RedpandaEventBus::connect(options()).await.unwrap();
    for name in ["", "ord ers", "^orders.*", &"x".repeat(250)] {
        let refused = bus.subscribe("group", &[name.to_owned()]).await.unwrap_err();
        assert!(refused.to_string().contains("cannot be the name of a topic"), "{refused}");
    }
}
