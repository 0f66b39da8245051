//! Processes: commands, activities with retries, timers, compensation, crashes at any point.

use crate::domain::{Bank, Checkout, Order, OrderCommand, Stock, StockCommand, application};
use composable_rust_core::port::{Checkpoint, StoreError};
use composable_rust_core::{Environment, Position, elapsed, later};
use composable_rust_projections::SubscriptionState;
use composable_rust_runtime::{Application, ExecuteError};
use composable_rust_testing::simulation::{Ending, Life, Simulation};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

async fn start(simulation: &Simulation, environment: Environment, bank: &Bank) -> Application {
    application(simulation, environment).process::<Checkout>().activity(bank.clone()).start().await.unwrap()
}

async fn place(app: &Application, order: &str, amount: u32) {
    let pay_by = later(app.environment().now(), Duration::from_mins(1));
    let placed = app.execute(order, OrderCommand::Place { stock: "a".into(), amount, pay_by }).await;
    assert!(matches!(placed, Ok(_) | Err(ExecuteError::Rejected(_))), "{placed:?}");
}

/// Waits until the order has ended, by following the log.
async fn outcome(app: &Application, order: &str) -> String {
    let mut seen = app.events().signal().position();
    loop {
        let loaded = app.load::<Order>(order).await.unwrap();
        match loaded.map(|loaded| loaded.state.status) {
            Some(status) if status != "open" => return status,
            _ => app.events().signal().reached(seen.next()).await,
        }
        seen = app.events().signal().position();
    }
}

fn live(body: impl AsyncFnOnce(Application, Bank)) {
    Simulation::run(7, async |simulation| {
        let bank = Bank::default();
        let ending = simulation
            .live(Life::CALM, async |environment| {
                let app = start(simulation, environment, &bank).await;
                app.execute("a", StockCommand::Fill { amount: 10 }).await.unwrap();
                body(app, bank.clone()).await;
            })
            .await;
        assert_eq!(ending, Ending::Finished(()));
        assert!(simulation.task_panics().is_empty(), "{:?}", simulation.task_panics());
    });
}

async fn free(app: &Application) -> u32 {
    app.load::<Stock>("a").await.unwrap().unwrap().state.free
}

#[test]
fn a_process_takes_pays_and_finishes() {
    live(async |app, bank| {
        place(&app, "rich", 2).await;
        assert_eq!(outcome(&app, "rich").await, "paid");
        assert_eq!(free(&app).await, 8);
        assert_eq!(bank.log.lock().unwrap().len(), 1);
    });
}

#[test]
fn a_refused_command_comes_back_as_an_input() {
    live(async |app, bank| {
        place(&app, "big", 11).await;
        assert_eq!(outcome(&app, "big").await, "sold out");
        assert!(bank.log.lock().unwrap().is_empty());
    });
}

#[test]
fn a_failed_payment_is_compensated() {
    live(async |app, _| {
        place(&app, "poor", 4).await;
        assert_eq!(outcome(&app, "poor").await, "declined");
        app.environment().clock.sleep(Duration::from_secs(1)).await;
        assert_eq!(free(&app).await, 10);
    });
}

#[test]
fn an_activity_is_tried_again_under_the_same_key() {
    live(async |app, bank| {
        place(&app, "flaky", 1).await;
        assert_eq!(outcome(&app, "flaky").await, "paid");
        let log = bank.log.lock().unwrap().clone();
        assert_eq!(log.iter().map(|(_, attempt)| *attempt).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(log.iter().all(|(key, _)| *key == log[0].0));
    });
}

#[test]
fn an_activity_that_panics_is_tried_again_and_keeps_nobody_waiting() {
    live(async |app, bank| {
        place(&app, "panicky", 1).await;
        place(&app, "rich", 1).await;
        assert_eq!(outcome(&app, "rich").await, "paid");
        assert_eq!(outcome(&app, "panicky").await, "paid");
        assert_eq!(bank.log.lock().unwrap().len(), 4);
    });
}

#[test]
fn an_activity_that_fails_for_good_gives_up_with_an_outcome() {
    live(async |app, bank| {
        place(&app, "hopeless", 1).await;
        assert_eq!(outcome(&app, "hopeless").await, "declined");
        assert_eq!(bank.log.lock().unwrap().len(), 1);
    });
}

#[test]
fn an_activity_is_given_up_after_as_many_attempts_as_its_policy_allows() {
    live(async |app, bank| {
        place(&app, "never", 1).await;
        assert_eq!(outcome(&app, "never").await, "declined");
        let attempts: Vec<u32> = bank.log.lock().unwrap().iter().map(|(_, attempt)| *attempt).collect();
        assert_eq!(attempts, [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(*bank.given_up.lock().unwrap(), ["never"]);
    });
}

#[test]
fn a_process_that_took_over_refuses_what_the_one_before_it_still_saves() {
    Simulation::run(7, async |simulation| {
        let life = async |environment: Environment| {
            let before = application(simulation, environment.clone()).start().await.unwrap();
            let (work, ttl) = ("process:checkout", Duration::from_secs(5));
            let killed = before.storage().leases.acquire(work, "killed", ttl).await.unwrap().unwrap();
            let app = start(simulation, environment, &Bank::default()).await;
            app.environment().clock.sleep(ttl * 2).await;
            let is_live =
                app.progress().iter().any(|of| of.name == work && of.state == SubscriptionState::Live);
            assert!(is_live, "{:?}", app.progress());
            let late =
                Checkpoint { subscription: work.into(), position: Position::ZERO, fence: killed.fence };
            let refused = app.storage().checkpoints.save_checkpoint(late).await;
            assert!(matches!(refused, Err(StoreError::Fenced { .. })), "{refused:?}");
        };
        assert_eq!(simulation.live(Life::CALM, life).await, Ending::Finished(()));
    });
}

#[test]
fn a_timer_fires_while_an_activity_hangs() {
    live(async |app, _| {
        let started = app.environment().now();
        place(&app, "slow", 1).await;
        assert_eq!(outcome(&app, "slow").await, "too late");
        let waited = app.environment().now().duration_since(started);
        assert!((60..62).contains(&waited.as_secs()), "{waited:?}");
    });
}

#[test]
fn a_finished_process_leaves_no_timer_behind() {
    live(async |app, _| {
        place(&app, "rich", 1).await;
        assert_eq!(outcome(&app, "rich").await, "paid");
        let stream = composable_rust_core::StreamId::new("process-checkout", "rich").unwrap();
        let timers = app.storage().timers.pending(&stream).await.unwrap();
        assert!(timers.is_empty(), "{timers:?}");
    });
}

#[test]
fn a_shutdown_waits_for_the_attempt_under_way_and_the_next_start_makes_another_under_the_same_key() {
    Simulation::run(7, async |simulation| {
        let bank = Bank::default();
        let first = async |environment: Environment| {
            let app = start(simulation, environment, &bank).await;
            fill(&app).await;
            place(&app, "slow", 1).await;
            let clock = Arc::clone(&app.environment().clock);
            clock.sleep(Duration::from_secs(2)).await;
            assert_eq!(bank.log.lock().unwrap().len(), 1);
            let began = clock.now();
            app.shutdown().await.unwrap();
            let waited = elapsed(began, clock.now());
            assert!((7..10).contains(&waited.as_secs()), "an attempt may take ten seconds: {waited:?}");
        };
        assert_eq!(simulation.live(Life::CALM, first).await, Ending::Finished(()));
        let second = async |environment: Environment| {
            let app = start(simulation, environment, &bank).await;
            app.environment().clock.sleep(Duration::from_secs(5)).await;
            let log = bank.log.lock().unwrap().clone();
            assert_eq!(log.iter().map(|(_, attempt)| *attempt).collect::<Vec<_>>(), [1, 2]);
            assert_eq!(log[0].0, log[1].0);
            app.shutdown().await.unwrap();
        };
        assert_eq!(simulation.live(Life::CALM, second).await, Ending::Finished(()));
        assert!(simulation.task_panics().is_empty(), "{:?}", simulation.task_panics());
    });
}

/// The whole point: wherever the application dies, every order ends, stock adds up, and nobody pays twice.
#[test]
fn orders_end_once_wherever_the_application_crashes() {
    for seed in 0..200 {
        let log = crash_and_recover(seed);
        if seed % 20 == 0 {
            assert_eq!(log, crash_and_recover(seed), "seed {seed} must replay the same way");
        }
    }
}

fn crash_and_recover(seed: u64) -> String {
    const ORDERS: [&str; 6] = ["rich-1", "rich-2", "poor-1", "flaky-1", "rich-3", "rich-4"];
    Simulation::run(seed, async |simulation| {
        let bank = Bank::default();
        for _ in 0..3 {
            let life = Life::crashing_after(1 + simulation.below(1_500));
            simulation
                .live(life, async |environment| {
                    let app = start(simulation, environment, &bank).await;
                    fill(&app).await;
                    for order in ORDERS {
                        place(&app, order, 3).await;
                    }
                    for order in ORDERS {
                        outcome(&app, order).await;
                    }
                })
                .await;
        }
        simulation
            .live(Life::CALM, async |environment| {
                let app = start(simulation, environment, &bank).await;
                fill(&app).await;
                let mut paid = 0;
                for order in ORDERS {
                    place(&app, order, 3).await;
                    paid += u32::from(outcome(&app, order).await == "paid");
                }
                app.environment().clock.sleep(Duration::from_mins(2)).await;
                assert_eq!(free(&app).await, 10 - 3 * paid, "seed {seed}");
                app.shutdown().await.unwrap();
            })
            .await;
        let mut attempts = BTreeMap::<String, u32>::new();
        for (key, _) in bank.log.lock().unwrap().iter() {
            *attempts.entry(key.clone()).or_default() += 1;
        }
        assert!(attempts.len() <= ORDERS.len(), "seed {seed}: more payments than orders: {attempts:?}");
        assert!(simulation.task_panics().is_empty(), "seed {seed}: {:?}", simulation.task_panics());
        simulation.log_text().await.unwrap()
    })
}

async fn fill(app: &Application) {
    if app.load::<Stock>("a").await.unwrap().is_none() {
        let once =
            composable_rust_runtime::RequestContext::with_id(composable_rust_core::CommandId::derived(&[
                "fill",
            ]));
        app.execute("a", StockCommand::Fill { amount: 10 }).request(once).await.unwrap();
    }
}
