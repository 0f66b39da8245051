//! Brokers that are away, for a while or from the beginning, and who may use them.

use crate::broker::{Broker, USER};
use crate::support::{assert_in_order, message, options, receive};
use composable_rust_core::describe;
use composable_rust_core::port::{BusError, EventBus};
use composable_rust_redpanda::{RedpandaEventBus, RedpandaOptions, Sasl, SaslMechanism, Security};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

const STREAMS: u32 = 20;

/// As the relay does it: each batch again until it is taken.
async fn publish_all(bus: RedpandaEventBus, rounds: u32, failures: Arc<AtomicU32>, failed: Arc<Notify>) {
    for round in 1..=rounds {
        let batch: Vec<_> =
            (0..STREAMS).map(|stream| message("orders", &format!("s{stream}"), round)).collect();
        while let Err(error) = bus.publish(batch.clone()).await {
            assert!(matches!(error, BusError::Unavailable { .. }), "{error:?}");
            failures.fetch_add(1, Ordering::SeqCst);
            failed.notify_one();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_killed_and_started_again_loses_nothing_and_keeps_the_order() {
    const ROUNDS: u32 = 1_000;
    let mut broker = Broker::start().await;
    let options = RedpandaOptions { publish_timeout: Duration::from_secs(2), ..broker.options() };
    let bus = RedpandaEventBus::connect(options).await.unwrap();
    let mut consumer = bus.subscribe("group", &["orders".to_owned()]).await.unwrap();
    let (failures, failed) = (Arc::new(AtomicU32::new(0)), Arc::new(Notify::new()));
    let mut publishing = tokio::task::JoinSet::new();
    publishing.spawn(publish_all(bus.clone(), ROUNDS, Arc::clone(&failures), Arc::clone(&failed)));

    let first = receive(&mut consumer, STREAMS as usize * 50).await;
    consumer.commit(&first).await.unwrap();
    broker.kill().await;
    failed.notified().await;
    broker.start_again().await;
    let rest = receive(&mut consumer, (STREAMS * ROUNDS) as usize - first.different()).await;
    consumer.commit(&rest).await.unwrap();

    tokio::time::timeout(Duration::from_mins(1), publishing.join_all()).await.expect("all is published");
    assert!(failures.load(Ordering::SeqCst) > 0, "the outage was felt");
    assert_in_order(first.iter().chain(rest.iter()));
}

#[tokio::test]
async fn an_unreachable_broker_is_told_in_time_with_its_address() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let brokers = free.local_addr().unwrap().to_string();
    drop(free);
    let answer_timeout = Duration::from_secs(2);
    let options = RedpandaOptions { brokers: brokers.clone(), answer_timeout, ..options() };
    let bus = RedpandaEventBus::new(options.clone()).unwrap();
    let connected = async { RedpandaEventBus::connect(options).await.map(|_| ()) };
    let published = bus.publish(vec![message("orders", "a", 1)]);
    let topics = ["orders".to_owned()];
    let subscribed = async { bus.subscribe("group", &topics).await.map(|_| ()) };
    let all = async { [connected.await, published.await, subscribed.await] };
    let all = tokio::time::timeout(Duration::from_mins(1), all).await.expect("none of them hangs");
    for error in all.map(Result::unwrap_err) {
        assert!(matches!(error, BusError::Unavailable { .. }), "{error:?}");
        let text = describe(&error);
        assert!(text.contains(&brokers) && text.contains("refused"), "{text}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_and_not_repeated() {
    let broker = Broker::start().await;
    let with = |password: &str| {
        let (username, password) = (USER.0.to_owned(), password.to_owned());
        let sasl = Some(Sasl { mechanism: SaslMechanism::Plain, username, password });
        RedpandaOptions { security: Security { tls: None, sasl }, ..broker.guarded() }
    };
    let error = RedpandaEventBus::connect(with("hunter2")).await.unwrap_err();
    assert!(matches!(error, BusError::Setup(_)), "{error:?}");
    let text = describe(&error);
    assert!(text.contains("name or the password") && !text.contains("hunter2"), "{text}");

    let bus = RedpandaEventBus::connect(with(USER.1)).await.unwrap();
    assert!(!format!("{bus:?}").contains(USER.1));
    let mut consumer = bus.subscribe("group", &["orders".to_owned()]).await.unwrap();
    bus.publish(vec![message("orders", "a", 1)]).await.unwrap();
    assert_eq!(receive(&mut consumer, 1).await.different(), 1);
}
