//! Where a process that is new begins to hear, and what is told of timers whose process does not run.

use crate::domain::{Bank, Checkout, Order, OrderCommand, Stock, StockCommand, StockEvent, application};
use composable_rust_core::{
    CommandId, Environment, Input, Process, ProcessId, ProcessStart, Recorded, Rejected, State, Steps,
    dispatch, later, steps,
};
use composable_rust_runtime::{Application, ComponentHealth, ComponentStatus, RequestContext};
use composable_rust_testing::simulation::{Ending, Life, Simulation};
use jiff::Timestamp;
use std::time::Duration;

/// Orders something each time that stock is filled, but nothing for what was filled before it was there.
#[derive(Debug, Clone, Default, PartialEq, State)]
struct Newcomer;

#[derive(Debug, Clone, Input)]
enum NewcomerInput {
    Stock(String, StockEvent),
    #[rejected]
    NotPlaced(Rejected<Order>),
}

impl Process for Newcomer {
    type Input = NewcomerInput;
    const NAME: &'static str = "newcomer";
    const START: ProcessStart = ProcessStart::Now;

    fn id(input: &NewcomerInput) -> Option<ProcessId> {
        match input {
            NewcomerInput::Stock(stock, StockEvent::Filled { .. }) => Some(ProcessId::of(stock)),
            NewcomerInput::Stock(..) | NewcomerInput::NotPlaced(_) => None,
        }
    }

    fn react(&mut self, input: Recorded<NewcomerInput>) -> Steps<Self> {
        match input.body {
            NewcomerInput::Stock(stock, StockEvent::Filled { amount }) => {
                let place = OrderCommand::Place { stock, amount, pay_by: Timestamp::MAX };
                steps![dispatch(format!("order-{amount}"), place)]
            }
            NewcomerInput::Stock(..) | NewcomerInput::NotPlaced(_) => steps![],
        }
    }
}

async fn fill(app: &Application, amount: u32) {
    let once = RequestContext::with_id(CommandId::derived(&["fill", &amount.to_string()]));
    app.execute("a", StockCommand::Fill { amount }).request(once).await.unwrap();
}

async fn is_ordered(app: &Application, amount: u32) -> bool {
    app.load::<Order>(format!("order-{amount}")).await.unwrap().is_some()
}

async fn is_filled(app: &Application) -> u32 {
    app.load::<Stock>("a").await.unwrap().map_or(0, |loaded| loaded.state.free)
}

async fn pass(app: &Application, seconds: u64) {
    app.environment().clock.sleep(Duration::from_secs(seconds)).await;
}

/// Wherever the application dies, also before it has saved how far it came.
#[test]
fn a_process_that_starts_now_hears_nothing_of_before_and_everything_after() {
    for seed in 0..80 {
        let has_history = seed % 2 == 0;
        Simulation::run(seed, async |simulation| {
            let before = async |environment: Environment| {
                let app = application(simulation, environment).start().await.unwrap();
                if has_history {
                    fill(&app, 1).await;
                }
                app.shutdown().await.unwrap();
            };
            assert_eq!(simulation.live(Life::CALM, before).await, Ending::Finished(()));
            for _ in 0..3 {
                let life = Life::crashing_after(1 + simulation.below(200));
                let dying = async |environment: Environment| {
                    let app =
                        application(simulation, environment).process::<Newcomer>().start().await.unwrap();
                    fill(&app, 10).await;
                    pass(&app, 3).await;
                };
                simulation.live(life, dying).await;
            }
            let after = async |environment: Environment| {
                let app = application(simulation, environment).process::<Newcomer>().start().await.unwrap();
                fill(&app, 10).await;
                fill(&app, 100).await;
                pass(&app, 10).await;
                assert_eq!(is_filled(&app).await, 110 + u32::from(has_history));
                let ordered =
                    [is_ordered(&app, 1).await, is_ordered(&app, 10).await, is_ordered(&app, 100).await];
                assert_eq!(ordered, [false, true, true], "seed {seed}");
                app.shutdown().await.unwrap();
            };
            assert_eq!(simulation.live(Life::CALM, after).await, Ending::Finished(()), "seed {seed}");
        });
    }
}

async fn place(app: &Application, order: &str) {
    let pay_by = later(app.environment().now(), Duration::from_mins(1));
    app.execute(order, OrderCommand::Place { stock: "a".into(), amount: 1, pay_by }).await.unwrap();
}

async fn checkout_part(app: &Application) -> Option<ComponentHealth> {
    app.health().await.into_iter().find(|part| part.name == "process:checkout")
}

#[test]
fn a_process_hears_everything_from_the_beginning_unless_it_says_otherwise() {
    Simulation::run(3, async |simulation| {
        let without = async |environment: Environment| {
            let app = application(simulation, environment).start().await.unwrap();
            fill(&app, 10).await;
            place(&app, "rich").await;
            app.shutdown().await.unwrap();
        };
        assert_eq!(simulation.live(Life::CALM, without).await, Ending::Finished(()));
        let with = async |environment: Environment| {
            let app = application(simulation, environment).process::<Checkout>().activity(Bank::default());
            let app = app.start().await.unwrap();
            pass(&app, 5).await;
            assert_eq!(app.load::<Order>("rich").await.unwrap().unwrap().state.status, "paid");
            app.shutdown().await.unwrap();
        };
        assert_eq!(simulation.live(Life::CALM, with).await, Ending::Finished(()));
    });
}

#[test]
fn overdue_timers_of_a_process_that_does_not_run_are_told_with_the_line_to_add() {
    Simulation::run(3, async |simulation| {
        let with = async |environment: Environment| {
            let app = application(simulation, environment).process::<Checkout>().activity(Bank::default());
            let app = app.start().await.unwrap();
            fill(&app, 10).await;
            place(&app, "slow").await;
            pass(&app, 5).await;
            app.shutdown().await.unwrap();
        };
        assert_eq!(simulation.live(Life::CALM, with).await, Ending::Finished(()));
        let without = async |environment: Environment| {
            let app = application(simulation, environment).start().await.unwrap();
            assert_eq!(checkout_part(&app).await, None, "another application may serve them");
            pass(&app, 150).await;
            let part = checkout_part(&app).await.unwrap();
            assert_eq!((part.status, part.critical), (ComponentStatus::Degraded, false));
            let detail = part.detail.unwrap();
            for told in [r#"a process named "checkout""#, "process-checkout/…", "add `.process::<…>()`"] {
                assert!(detail.contains(told), "{detail}");
            }
            app.shutdown().await.unwrap();
        };
        assert_eq!(simulation.live(Life::CALM, without).await, Ending::Finished(()));
        let again = async |environment: Environment| {
            let app = application(simulation, environment).process::<Checkout>().activity(Bank::default());
            let app = app.start().await.unwrap();
            pass(&app, 20).await;
            assert_eq!(app.load::<Order>("slow").await.unwrap().unwrap().state.status, "too late");
            assert_eq!(checkout_part(&app).await.unwrap().status, ComponentStatus::Healthy);
            app.shutdown().await.unwrap();
        };
        assert_eq!(simulation.live(Life::CALM, again).await, Ending::Finished(()));
    });
}
