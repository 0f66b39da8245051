//! Commands: receipts, refusals, races, repeats, several aggregates at once, failing stores.

use crate::domain::{
    Order, OrderCommand, OrderEvent, Stock, StockCommand, StockEvent, StockRejection, application, live_once,
};
use bytes::Bytes;
use composable_rust_core::port::StreamRange;
use composable_rust_core::{CommandId, ExpectedVersion, Position, StreamId, StreamVersion, elapsed};
use composable_rust_runtime::{ApplicationOptions, CommandOptions, ExecuteError, RequestContext, on};
use composable_rust_testing::memory::Faults;
use composable_rust_testing::simulation::{Ending, Life, Simulation};
use futures_util::future::join_all;
use std::time::Duration;

fn take(order: &str, amount: u32) -> StockCommand {
    StockCommand::Take { order: order.to_owned(), amount }
}

#[test]
fn a_receipt_tells_events_version_position_and_state() {
    live_once(async |app| {
        let first = app.execute("a", StockCommand::Fill { amount: 3 }).await.unwrap();
        assert_eq!(first.events, [StockEvent::Filled { amount: 3 }]);
        assert_eq!((first.version, first.replayed), (StreamVersion::from(1), false));
        let second = app.execute("a", take("o", 2)).await.unwrap();
        assert_eq!((second.version, second.state.free), (StreamVersion::from(2), 1));
        assert!(second.position > first.position);
        let loaded = app.load::<Stock>("a").await.unwrap().unwrap();
        assert_eq!((loaded.state.free, loaded.version), (1, StreamVersion::from(2)));
        assert!(app.load::<Stock>("b").await.unwrap().is_none());
    });
}

#[test]
fn a_refusal_is_typed_and_writes_nothing() {
    live_once(async |app| {
        let refused = app.execute("a", take("o", 1)).await.unwrap_err();
        assert!(matches!(refused, ExecuteError::Rejected(StockRejection::NotEnough { free: 0 })));
        assert!(app.load::<Stock>("a").await.unwrap().is_none());
    });
}

#[test]
fn a_hundred_buyers_of_the_last_place_give_one_success() {
    live_once(async |app| {
        app.execute("a", StockCommand::Fill { amount: 1 }).await.unwrap();
        let buyers = (0..100).map(|n| {
            let app = app.clone();
            async move { app.execute("a", take(&n.to_string(), 1)).acknowledged().await }
        });
        let results = join_all(buyers).await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
        let refused = results.into_iter().filter_map(Result::err);
        assert!(refused.into_iter().all(|error| matches!(error, ExecuteError::Rejected(_))));
    });
}

#[test]
fn a_repeated_command_gets_its_first_result_and_another_request_under_its_id_is_refused() {
    live_once(async |app| {
        app.execute("a", StockCommand::Fill { amount: 5 }).await.unwrap();
        let request = RequestContext {
            fingerprint: Some(Bytes::from_static(b"one")),
            ..RequestContext::with_id(CommandId::derived(&["buyer", "key"]))
        };
        let first = app.execute("a", take("o", 2)).request(request.clone()).await.unwrap();
        app.execute("a", take("p", 1)).await.unwrap();
        let again = app.execute("a", take("o", 2)).request(request.clone()).await.unwrap();
        assert!(again.replayed);
        assert_eq!(
            (&again.events, again.version, again.position),
            (&first.events, first.version, first.position)
        );
        assert_eq!(again.state.free, 3, "the state right after the first result, not the newest");
        let other = RequestContext { fingerprint: Some(Bytes::from_static(b"two")), ..request };
        let refused = app.execute("a", take("o", 2)).request(other).await.unwrap_err();
        assert!(matches!(refused, ExecuteError::KeyReused));
    });
}

#[test]
fn fifty_copies_of_one_command_at_once_act_once() {
    live_once(async |app| {
        app.execute("a", StockCommand::Fill { amount: 50 }).await.unwrap();
        let request = RequestContext::with_id(CommandId::derived(&["double click"]));
        let copies = (0..50).map(|_| {
            let (app, request) = (app.clone(), request.clone());
            async move { app.execute("a", take("o", 1)).request(request).await.unwrap() }
        });
        let receipts = join_all(copies).await;
        assert!(receipts.iter().all(|receipt| receipt.version == StreamVersion::from(2)));
        assert_eq!(receipts.iter().filter(|receipt| !receipt.replayed).count(), 1);
        assert_eq!(app.load::<Stock>("a").await.unwrap().unwrap().state.free, 49);
    });
}

#[test]
fn several_commands_are_all_or_nothing() {
    live_once(async |app| {
        app.execute("a", StockCommand::Fill { amount: 5 }).await.unwrap();
        app.execute("b", StockCommand::Fill { amount: 1 }).await.unwrap();
        let place = || OrderCommand::Place {
            stock: "none".into(),
            amount: 0,
            pay_by: "2030-01-01T00:00:00Z".parse().unwrap(),
        };
        let lines = |amount| vec![on("a", take("o", 1)), on("b", take("o", amount))];
        let refused = app.execute_all((on("o", place()), lines(2))).await.unwrap_err();
        let ExecuteError::Rejected(rejection) = refused else { unreachable!("{refused:?}") };
        assert_eq!((rejection.part, rejection.code.as_str()), (2, "not_enough"));
        assert!(app.load::<Order>("o").await.unwrap().is_none());
        assert_eq!(app.load::<Stock>("a").await.unwrap().unwrap().state.free, 5);

        let receipt = app.execute_all((on("o", place()), lines(1))).await.unwrap();
        let (order, stocks) = receipt.parts;
        assert!(matches!(order.events[..], [OrderEvent::Placed { .. }]));
        assert_eq!(stocks.iter().map(|stock| stock.version.get()).collect::<Vec<_>>(), [2, 2]);
        assert!(receipt.position > Position::ZERO);
    });
}

#[test]
fn one_stream_twice_in_one_command_is_refused_with_its_name() {
    live_once(async |app| {
        let twice = vec![on("a", take("o", 1)), on("a", take("p", 1))];
        let error = app.execute_all(twice).await.unwrap_err();
        assert!(error.to_string().contains("stock/a is named twice"), "{error}");
    });
}

#[test]
fn a_command_is_carried_out_at_the_version_that_it_expects_or_not_at_all() {
    live_once(async |app| {
        let filled = app.execute("a", StockCommand::Fill { amount: 100 }).await.unwrap().version;
        let takes = (0..50).map(|n| {
            let app = app.clone();
            async move { app.execute("a", take(&n.to_string(), 1)).expecting(filled).await }
        });
        let (done, told): (Vec<_>, Vec<_>) = join_all(takes).await.into_iter().partition(Result::is_ok);
        assert_eq!((done.len(), told.len()), (1, 49));
        for error in told {
            let ExecuteError::Version { stream, expected, actual } = error.unwrap_err() else {
                unreachable!()
            };
            assert_eq!((stream.as_str(), expected.exact(), actual), ("stock/a", Some(filled), filled.next()));
        }
        let none = app.execute("b", StockCommand::Fill { amount: 1 }).expecting(ExpectedVersion::Exists);
        assert_eq!(none.await.unwrap_err().to_string(), "stock/b is at version 0, not at an existing stream");
        app.execute("b", StockCommand::Fill { amount: 1 })
            .expecting(ExpectedVersion::NoStream)
            .await
            .unwrap();

        let both = |version: u32| {
            let version = StreamVersion::from(version);
            app.execute_all((on("b", take("o", 1)), on("a", take("o", 1)).expecting(version)))
        };
        assert!(matches!(both(1).await.unwrap_err(), ExecuteError::Version { .. }));
        assert_eq!(app.load::<Stock>("b").await.unwrap().unwrap().state.free, 1);
        both(2).await.unwrap();
    });
}

#[test]
fn a_repeat_gets_its_first_result_although_the_version_has_moved_on() {
    live_once(async |app| {
        let request = RequestContext::with_id(CommandId::derived(&["fill"]));
        let fill = || {
            let fill = app.execute("a", StockCommand::Fill { amount: 1 }).request(request.clone());
            fill.expecting(ExpectedVersion::NoStream)
        };
        assert!(!fill().await.unwrap().replayed);
        assert!(fill().await.unwrap().replayed);
    });
}

/// The state in memory is never trusted, for a mismatch neither.
#[test]
fn the_expected_version_is_the_one_that_another_instance_wrote() {
    Simulation::run(1, async |simulation| {
        let life = async |environment: composable_rust_core::Environment| {
            let one = application(simulation, environment.clone()).start().await.unwrap();
            let two = application(simulation, environment).start().await.unwrap();
            let first = one.execute("a", StockCommand::Fill { amount: 1 }).await.unwrap().version;
            let second = two.execute("a", StockCommand::Fill { amount: 1 }).await.unwrap().version;
            let stale = one.execute("a", StockCommand::Fill { amount: 1 }).expecting(first).await;
            assert!(matches!(stale.unwrap_err(), ExecuteError::Version { actual, .. } if actual == second));
            two.execute("a", StockCommand::Fill { amount: 1 }).expecting(second).await.unwrap();
            one.execute("a", StockCommand::Fill { amount: 1 }).expecting(second.next()).await.unwrap();
        };
        simulation.live(Life::CALM, life).await;
    });
}

/// It is never answered as a conflict: the caller has done nothing wrong.
#[test]
fn contention_that_outlasts_the_attempts_is_overload() {
    Simulation::run(1, async |simulation| {
        let life = async |environment: composable_rust_core::Environment| {
            let commands = CommandOptions { max_attempts: 1, ..CommandOptions::default() };
            let options = ApplicationOptions { commands, ..ApplicationOptions::default() };
            let app = application(simulation, environment.clone()).options(options).start().await.unwrap();
            let rival = application(simulation, environment).start().await.unwrap();
            let fill = || StockCommand::Fill { amount: 1 };
            app.execute("a", fill()).await.unwrap();
            rival.execute("a", fill()).await.unwrap();
            assert!(matches!(app.execute("a", fill()).await.unwrap_err(), ExecuteError::Overloaded));
            assert_eq!(app.execute("a", fill()).await.unwrap().state.free, 3);
        };
        assert_eq!(simulation.live(Life::CALM, life).await, Ending::Finished(()));
    });
}

#[test]
fn a_conflict_is_followed_by_a_pause_and_another_decision() {
    Simulation::run(1, async |simulation| {
        let life = async |environment: composable_rust_core::Environment| {
            let pause = Duration::from_secs(1);
            let commands =
                CommandOptions { first_pause: pause, longest_pause: pause, ..CommandOptions::default() };
            let options = ApplicationOptions { commands, ..ApplicationOptions::default() };
            let app = application(simulation, environment.clone()).options(options).start().await.unwrap();
            let rival = application(simulation, environment.clone()).start().await.unwrap();
            let fill = || StockCommand::Fill { amount: 1 };
            app.execute("a", fill()).await.unwrap();
            rival.execute("a", fill()).await.unwrap();
            let before = environment.now();
            assert_eq!(app.execute("a", fill()).await.unwrap().state.free, 3);
            let waited = elapsed(before, environment.now());
            assert!((Duration::from_millis(1)..=pause).contains(&waited), "{waited:?}");
        };
        assert_eq!(simulation.live(Life::CALM, life).await, Ending::Finished(()));
    });
}

#[test]
fn a_command_id_is_of_one_command_on_one_aggregate() {
    live_once(async |app| {
        for stock in ["a", "b"] {
            app.execute(stock, StockCommand::Fill { amount: 5 }).await.unwrap();
        }
        let id = |name: &str| RequestContext::with_id(CommandId::derived(&[name]));
        let both = || app.execute_all((on("a", take("o", 1)), on("b", take("o", 1))));
        app.execute("a", take("o", 1)).request(id("one")).await.unwrap();
        both().request(id("both")).await.unwrap();

        let other_aggregate = app.execute("b", take("o", 1)).request(id("one")).await.unwrap_err();
        assert!(matches!(other_aggregate, ExecuteError::KeyReused));
        let other_command = app.execute("a", StockCommand::Fill { amount: 1 }).request(id("one")).await;
        assert!(matches!(other_command.unwrap_err(), ExecuteError::KeyReused));
        let a_part = app.execute("a", take("o", 1)).request(id("both")).await.unwrap_err();
        assert!(matches!(a_part, ExecuteError::KeyReused));
        let a_whole = both().request(id("one")).await.unwrap_err();
        assert!(matches!(a_whole, ExecuteError::KeyReused));
        assert!(both().request(id("both")).await.unwrap().replayed);
        assert_eq!(app.load::<Stock>("b").await.unwrap().unwrap().state.free, 4);
    });
}

/// What the first copy took must not make the second one believe that nothing is left.
#[test]
fn copies_of_the_command_that_takes_the_last_place_all_hear_of_success() {
    live_once(async |app| {
        app.execute("a", StockCommand::Fill { amount: 1 }).await.unwrap();
        let request = RequestContext::with_id(CommandId::derived(&["double click"]));
        let copies = (0..10).map(|_| {
            let (app, request) = (app.clone(), request.clone());
            async move { app.execute("a", take("o", 1)).request(request).await }
        });
        let receipts: Vec<_> = join_all(copies).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(receipts.iter().filter(|receipt| !receipt.replayed).count(), 1);
    });
}

/// Crossing orders of two aggregates would wait for each other if they were not locked in one order.
#[test]
fn crossing_commands_do_not_wait_for_each_other() {
    live_once(async |app| {
        for stock in ["a", "b"] {
            app.execute(stock, StockCommand::Fill { amount: 100 }).await.unwrap();
        }
        let orders = (0..100).map(|n| {
            let app = app.clone();
            let (first, second) = if n % 2 == 0 { ("a", "b") } else { ("b", "a") };
            async move {
                let order = n.to_string();
                app.execute_all((on(first, take(&order, 1)), on(second, take(&order, 1)))).await
            }
        });
        assert!(join_all(orders).await.iter().all(Result::is_ok));
        for stock in ["a", "b"] {
            assert_eq!(app.load::<Stock>(stock).await.unwrap().unwrap().state.free, 0);
        }
    });
}

/// Decisions are made on states whose events wait for the flush; when a flush fails they must be made again.
#[test]
fn no_place_is_sold_twice_or_lost_when_appends_fail() {
    for seed in 0..50 {
        Simulation::run_with(
            seed,
            |_| Faults::scripted(),
            async |simulation| {
                let ending = simulation
                    .live(Life::CALM, async |environment| {
                        let app = application(simulation, environment).start().await.unwrap();
                        app.execute("a", StockCommand::Fill { amount: 20 }).await.unwrap();
                        let buyers = (0..40).map(|n| {
                            let app = app.clone();
                            async move { app.execute("a", take(&n.to_string(), 1)).acknowledged().await }
                        });
                        let failing = simulation.below(3);
                        (0..failing).for_each(|_| simulation.faults().fail_next("append"));
                        let results = join_all(buyers).await;
                        let sold = results.iter().filter(|result| result.is_ok()).count();
                        let state = app.load::<Stock>("a").await.unwrap().unwrap().state;
                        assert_eq!(
                            state.taken.len(),
                            sold,
                            "every success is in the stream, and nothing else"
                        );
                        assert_eq!(state.free as usize, 20 - sold);
                        let mut more = app.execute("a", take("later", 1)).await;
                        while matches!(more, Err(ExecuteError::Store(_))) {
                            more = app.execute("a", take("later", 1)).await;
                        }
                        assert_eq!(more.is_ok(), sold < 20, "seed {seed}: {sold} sold, then {more:?}");
                    })
                    .await;
                assert!(matches!(ending, Ending::Finished(())));
            },
        );
    }
}

#[test]
fn a_lost_answer_is_found_again_by_the_command_id() {
    Simulation::run_with(
        1,
        |_| Faults::scripted(),
        async |simulation| {
            simulation
                .live(Life::CALM, async |environment| {
                    let app = application(simulation, environment).start().await.unwrap();
                    let request = RequestContext::with_id(CommandId::derived(&["fill"]));
                    let fill = || app.execute("a", StockCommand::Fill { amount: 7 }).request(request.clone());
                    simulation.faults().lose_next("append");
                    assert!(matches!(fill().await.unwrap_err(), ExecuteError::Store(_)));
                    let receipt = fill().await.unwrap();
                    assert_eq!((receipt.replayed, receipt.state.free), (true, 7));
                })
                .await;
        },
    );
}

#[test]
fn a_long_stream_is_loaded_from_its_snapshot_and_a_damaged_one_is_ignored() {
    Simulation::run(1, async |simulation| {
        let stream = StreamId::new("stock", "a").unwrap();
        let fill = async |environment| {
            let app = application(simulation, environment).start().await.unwrap();
            for _ in 0..1_100 {
                app.execute("a", StockCommand::Fill { amount: 1 }).acknowledged().await.unwrap();
            }
            app.shutdown().await.unwrap();
        };
        simulation.live(Life::CALM, fill).await;
        for damage in [false, true] {
            simulation
                .live(Life::CALM, async |environment| {
                    let app = application(simulation, environment).start().await.unwrap();
                    let snapshots = &app.storage().snapshots;
                    let mut snapshot = snapshots.load_snapshot(&stream).await.unwrap().unwrap();
                    let newest: u32 = if damage { 1_001 } else { 1_000 };
                    assert_eq!(snapshot.version, StreamVersion::from(newest));
                    // Only whoever reads the snapshot sees what the events do not say.
                    let other = String::from_utf8(snapshot.state.to_vec()).unwrap();
                    let other = other.replace("\"free\":1000", "\"free\":5000");
                    snapshot.version = StreamVersion::from(if damage { 1_050 } else { 1_001 });
                    snapshot.state = if damage { Bytes::from_static(b"garbage") } else { other.into() };
                    snapshots.save_snapshot(&stream, snapshot).await.unwrap();
                    let loaded = app.load::<Stock>("a").await.unwrap().unwrap();
                    let free = if damage { 1_100 } else { 5_099 };
                    assert_eq!((loaded.state.free, loaded.version.get()), (free, 1_100));
                    let events = app.events().read_stream(&stream, StreamRange::latest(1)).await.unwrap();
                    assert_eq!(events[0].version, loaded.version);
                })
                .await;
        }
    });
}

#[test]
fn a_stream_of_large_events_is_loaded_whole() {
    Simulation::run(1, async |simulation| {
        let first = simulation.live(Life::CALM, async |environment| {
            let app = application(simulation, environment).start().await.unwrap();
            app.execute("a", StockCommand::Fill { amount: 100 }).await.unwrap();
            for number in 0..12 {
                // More in all than a page of events holds.
                let order = format!("{number}{}", "x".repeat(1_000_000));
                app.execute("a", take(&order, 1)).await.unwrap();
            }
        });
        assert_eq!(first.await, Ending::Finished(()));
        let second = simulation.live(Life::CALM, async |environment| {
            let app = application(simulation, environment).start().await.unwrap();
            let loaded = app.load::<Stock>("a").await.unwrap().unwrap();
            assert_eq!((loaded.version.get(), loaded.state.free, loaded.state.taken.len()), (13, 88, 12));
            app.execute("a", take("more", 1)).await.unwrap();
        });
        assert_eq!(second.await, Ending::Finished(()));
    });
}

#[test]
fn a_draining_application_takes_no_commands_and_keeps_what_it_took() {
    live_once(async |app| {
        app.execute("a", StockCommand::Fill { amount: 1 }).await.unwrap();
        app.shutdown().await.unwrap();
        assert!(app.is_draining());
        let error = app.execute("a", StockCommand::Fill { amount: 1 }).await.unwrap_err();
        assert!(matches!(error, ExecuteError::Draining));
    });
}

#[test]
fn what_a_command_carries_counts_where_its_fingerprint_is_asked_for() {
    live_once(async |app| {
        let fill = |amount| StockCommand::Fill { amount };
        let id = |name: &str| RequestContext::with_id(CommandId::derived(&[name]));
        app.execute("a", fill(5)).request(id("kind")).await.unwrap();
        assert!(app.execute("a", fill(500)).request(id("kind")).await.unwrap().replayed, "of the same kind");

        let whole = |amount| id("whole").fingerprint_of(&fill(amount)).unwrap();
        app.execute("a", fill(5)).request(whole(5)).await.unwrap();
        assert!(app.execute("a", fill(5)).request(whole(5)).await.unwrap().replayed);
        let other = app.execute("a", fill(500)).request(whole(500)).await.unwrap_err();
        assert!(matches!(other, ExecuteError::KeyReused));
        assert_eq!(app.load::<Stock>("a").await.unwrap().unwrap().state.free, 10);
    });
}
