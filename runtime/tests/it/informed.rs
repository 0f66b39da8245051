//! A part of a set of commands that is completed with what earlier parts decided, in the same append.

use crate::domain::{
    Order, OrderCommand, OrderEvent, Stock, StockCommand, StockEvent, application, live_once,
};
use composable_rust_core::{CommandId, Environment};
use composable_rust_runtime::{Application, Earlier, InformedCommand, RequestContext, on};
use composable_rust_testing::simulation::{Ending, Life, Simulation};
use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// An order of whatever the parts before it took or gave back.
fn order(asked: &Arc<AtomicUsize>) -> InformedCommand<OrderCommand> {
    let asked = Arc::clone(asked);
    let open = OrderCommand::Place { stock: String::new(), amount: 0, pay_by: Timestamp::MAX };
    on("o", open).informed_by(move |command, earlier| {
        asked.fetch_add(1, Ordering::SeqCst);
        if let OrderCommand::Place { stock, amount, .. } = command {
            (*stock, *amount) = moved(earlier);
        }
    })
}

fn moved(earlier: &Earlier<'_>) -> (String, u32) {
    let moved = earlier.events::<Stock>().flat_map(|(stock, events)| {
        events.iter().map(move |event| match event {
            StockEvent::Taken { amount, .. } | StockEvent::GivenBack { amount, .. } => {
                (stock.clone(), *amount)
            }
            StockEvent::Filled { .. } => (stock.clone(), 0),
        })
    });
    let moved: Vec<_> = moved.collect();
    let stocks: Vec<_> = moved.iter().map(|(stock, _)| stock.as_str()).collect();
    (stocks.join("+"), moved.iter().map(|(_, amount)| amount).sum())
}

fn take(amount: u32) -> StockCommand {
    StockCommand::Take { order: "o".into(), amount }
}

fn placed(stock: &str, amount: u32) -> Vec<OrderEvent> {
    vec![OrderEvent::Placed { stock: stock.into(), amount, pay_by: Timestamp::MAX }]
}

async fn given(app: &Application, stock: &str, command: StockCommand) {
    app.execute(stock, command).await.unwrap();
}

#[test]
fn a_part_is_completed_with_the_events_of_earlier_parts_in_the_same_append() {
    live_once(async |app| {
        for stock in ["a", "b", "c"] {
            given(&app, stock, StockCommand::Fill { amount: 10 }).await;
        }
        let asked = Arc::default();
        let before = app.events().signal().position();
        let request = RequestContext::with_id(CommandId::derived(&["an order"]));
        let set = || (vec![on("a", take(2)), on("b", take(3))], order(&asked), on("c", take(4)));
        let receipt = app.execute_all(set()).request(request.clone()).await.unwrap();
        assert_eq!(receipt.parts.1.events, placed("a+b", 5), "what comes after it does not inform it");
        assert_eq!(receipt.position.get(), before.get() + 4, "one append of four events");

        let repeat = app.execute_all(set()).request(request).await.unwrap();
        assert!(repeat.replayed);
        assert_eq!(repeat.parts.1.events, receipt.parts.1.events);
    });
}

#[test]
fn a_refusal_of_an_earlier_part_is_the_answer_and_nothing_is_written() {
    live_once(async |app| {
        given(&app, "a", StockCommand::Fill { amount: 1 }).await;
        let asked = Arc::new(AtomicUsize::new(0));
        let before = app.events().signal().position();
        assert!(app.execute_all((on("a", take(2)), order(&asked))).await.is_err());
        assert_eq!(asked.load(Ordering::SeqCst), 0, "there was nothing to tell");
        assert_eq!(app.events().signal().position(), before);
        assert!(app.load::<Order>("o").await.unwrap().is_none());
    });
}

/// The other application changes what the first one has in its cache, so that its first attempt is refused by the store.
#[test]
fn another_attempt_is_informed_anew() {
    Simulation::run(1, async |simulation| {
        let life = async |environment: Environment| {
            let first = application(simulation, environment.clone()).start().await.unwrap();
            let second = application(simulation, environment).start().await.unwrap();
            given(&first, "a", StockCommand::Fill { amount: 10 }).await;
            given(&first, "a", take(3)).await;
            given(&second, "a", StockCommand::GiveBack { order: "o".into() }).await;
            given(&second, "a", take(5)).await;

            let asked = Arc::default();
            let set = (on("a", StockCommand::GiveBack { order: "o".into() }), order(&asked));
            let receipt = first.execute_all(set).await.unwrap();
            assert_eq!(receipt.parts.1.events, placed("a", 5), "not the three that it knew of at first");
            assert_eq!(asked.load(Ordering::SeqCst), 2);
            first.shutdown().await.unwrap();
            second.shutdown().await.unwrap();
        };
        assert_eq!(simulation.live(Life::CALM, life).await, Ending::Finished(()));
    });
}
