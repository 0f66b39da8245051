//! Committed events reach the bus through the log, wherever the application dies.

use crate::domain::{StockCommand, application};
use composable_rust_core::port::{Consumer, EventBus};
use composable_rust_core::{Environment, RecordedEvent, StreamId};
use composable_rust_runtime::bus::{InProcessBus, InProcessBusOptions};
use composable_rust_runtime::{Application, ApplicationOptions, ComponentStatus, RelayOptions};
use composable_rust_testing::memory::{Fault, Faults, MemoryBus};
use composable_rust_testing::simulation::{Ending, Life, Simulation};
use futures_util::future::poll_immediate;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

async fn start(simulation: &Simulation, environment: Environment, bus: &InProcessBus) -> Application {
    application(simulation, environment).bus(bus.clone()).start().await.unwrap()
}

async fn received(consumer: &mut Box<dyn Consumer>, seen: &mut BTreeMap<StreamId, Vec<u64>>) {
    while let Some(deliveries) = poll_immediate(consumer.receive(100)).await {
        let deliveries = deliveries.unwrap();
        for delivery in &deliveries {
            let RecordedEvent { stream, version, .. } = &*delivery.message.event;
            seen.entry(stream.clone()).or_default().push(version.get());
        }
        consumer.commit(&deliveries).await.unwrap();
    }
}

/// The bus outlives the application, as a broker does.
#[test]
fn every_committed_event_is_published_in_the_order_of_its_stream_wherever_the_application_crashes() {
    const KEYS: [&str; 3] = ["a", "b", "c"];
    for seed in 0..100 {
        Simulation::run(seed, async |simulation| {
            let bus = InProcessBus::default();
            let mut consumer = bus.subscribe("group", &["stock".to_owned()]).await.unwrap();
            let mut seen = BTreeMap::new();
            for _ in 0..4 {
                let life = Life::crashing_after(1 + simulation.below(400));
                simulation
                    .live(life, async |environment| {
                        let app = start(simulation, environment, &bus).await;
                        for number in 0..30 {
                            let key = KEYS[number % KEYS.len()];
                            app.execute(key, StockCommand::Fill { amount: 1 }).await.unwrap();
                        }
                        app.environment().clock.sleep(Duration::from_secs(5)).await;
                    })
                    .await;
                received(&mut consumer, &mut seen).await;
            }
            let ending = simulation.live(Life::CALM, async |environment| {
                let app = start(simulation, environment, &bus).await;
                app.environment().clock.sleep(Duration::from_secs(10)).await;
                let mut last = BTreeMap::new();
                for key in KEYS {
                    let stream = StreamId::new("stock", key).unwrap();
                    last.insert(key, app.events().stream_version(&stream).await.unwrap().get());
                }
                app.shutdown().await.unwrap();
                last
            });
            let Ending::Finished(last) = ending.await else { panic!("a calm life ends") };
            received(&mut consumer, &mut seen).await;
            for (key, last) in last {
                let seen = seen.remove(&StreamId::new("stock", key).unwrap()).unwrap_or_default();
                let all: BTreeSet<u64> = seen.iter().copied().collect();
                assert_eq!(all, (1..=last).collect(), "seed {seed}, {key}: {seen:?}");
                // A repeat goes back to where the last one may have ended, and goes on without a gap.
                let in_order = seen.windows(2).all(|pair| pair[1] <= pair[0] + 1);
                assert!(
                    in_order && seen.first().is_none_or(|first| *first == 1),
                    "seed {seed}, {key}: {seen:?}"
                );
            }
        });
    }
}

/// A batch of the log may be several of the bus: what it took is behind, what it refused is not.
#[test]
fn what_a_failing_bus_did_not_take_of_a_batch_is_published_later() {
    Simulation::run(1, async |simulation| {
        let life = async |environment: Environment| {
            let (faults, well) = (Faults::scripted(), Fault::Delay(Duration::ZERO));
            let slow = Fault::Delay(Duration::from_secs(1));
            let outcomes = [slow, Fault::Fail, well, Fault::Fail, Fault::Lose, well, Fault::Fail];
            for outcome in outcomes {
                faults.next("publish", outcome);
            }
            let bus = MemoryBus::new(&environment).with_faults(faults.clone());
            let mut consumer = bus.subscribe("group", &["stock".to_owned()]).await.unwrap();
            let relay = RelayOptions { max_batch: 2, ..RelayOptions::default() };
            let options = ApplicationOptions { relay, ..ApplicationOptions::default() };
            let app = application(simulation, environment).options(options).bus(bus).start().await.unwrap();
            let fill = async || app.execute("a", StockCommand::Fill { amount: 1 }).await.unwrap();
            fill().await;
            // All others come while the bus takes its time for the first, and are the relay's next batch.
            app.environment().clock.sleep(Duration::from_millis(100)).await;
            for _ in 2..=12 {
                fill().await;
            }
            let mut seen = Vec::new();
            loop {
                let nothing_more = app.environment().clock.sleep(Duration::from_mins(1));
                tokio::select! {
                    biased;
                    received = consumer.receive(100) => {
                        let events = received.unwrap().into_iter().map(|delivery| delivery.message.event);
                        seen.extend(events.map(|event| event.version.get()));
                    }
                    () = nothing_more => break (seen, faults.injected()),
                }
            }
        };
        let Ending::Finished((seen, injected)) = simulation.live(Life::CALM, life).await else { panic!() };
        assert_eq!((injected[&("publish", "fail")], injected[&("publish", "lose")]), (3, 1));
        assert_eq!(seen, [1, 2, 3, 4, 5, 4, 5, 6, 7, 8, 9, 10, 11, 12], "only what was lost comes twice");
    });
}

#[test]
fn a_group_that_nobody_reads_for_shows_in_the_health_and_the_events_wait_in_the_log() {
    Simulation::run(1, async |simulation| {
        let bus = InProcessBus::new(InProcessBusOptions { partitions: 1, kept_per_partition: 4 });
        let topics = ["stock".to_owned()];
        drop(bus.subscribe("reports", &topics).await.unwrap());
        let ending = simulation.live(Life::CALM, async |environment| {
            let app = start(simulation, environment, &bus).await;
            for _ in 0..10 {
                app.execute("a", StockCommand::Fill { amount: 1 }).await.unwrap();
            }
            app.environment().clock.sleep(Duration::from_secs(1)).await;
            let health = app.health().await;
            let relay = health.iter().find(|part| part.name == "relay").unwrap();
            assert_eq!(relay.status, ComponentStatus::Degraded);
            let detail = relay.detail.clone().unwrap();
            assert!(detail.contains("group reports has not committed, and it has no member"), "{detail}");
            let mut back = bus.subscribe("reports", &topics).await.unwrap();
            let mut seen = BTreeMap::new();
            while seen.values().map(Vec::len).sum::<usize>() < 10 {
                received(&mut back, &mut seen).await;
                app.environment().clock.sleep(Duration::from_secs(1)).await;
            }
            app.environment().clock.sleep(Duration::from_secs(1)).await;
            assert_eq!(seen.into_values().collect::<Vec<_>>(), [(1..=10).collect::<Vec<_>>()]);
            let health = app.health().await;
            assert!(health.iter().all(|part| part.status == ComponentStatus::Healthy), "{health:?}");
            app.shutdown().await.unwrap();
        });
        assert_eq!(ending.await, Ending::Finished(()));
    });
}
