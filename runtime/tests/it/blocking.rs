//! An activity that blocks its thread, or takes for ever, delays nobody else's work. Here real threads are needed, so
//! these run on the live environment; the rest of what activities do is simulated, in `processes.rs`.

use crate::domain::{Checkout, Order, OrderCommand, Pay, Stock, StockCommand};
use composable_rust_core::{Activity, ActivityContext, ActivityError, later};
use composable_rust_runtime::Application;
use composable_rust_testing::memory::MemoryStorage;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// More than enough for what takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// Blocks its thread for the order "stuck" until it is let go, and answers others at once; "slow" it never answers.
#[derive(Debug, Clone)]
struct Blocking {
    began: CancellationToken,
    let_go: Arc<Mutex<Receiver<()>>>,
}

#[async_trait::async_trait]
impl Activity for Blocking {
    type Call = Pay;

    async fn perform(&self, call: Pay, _: ActivityContext) -> Result<bool, ActivityError> {
        match call.order.as_str() {
            "stuck" => {
                self.began.cancel();
                self.let_go.lock().unwrap().recv().unwrap();
            }
            "slow" => std::future::pending().await,
            _ => {}
        }
        Ok(true)
    }

    fn give_up(&self, _: &Pay, _: &ActivityError) -> bool {
        false
    }
}

async fn start(activity: Blocking) -> Application {
    let app = Application::builder("test").storage(MemoryStorage::new());
    let app = app.decider::<Stock>().decider::<Order>().process::<Checkout>().activity(activity);
    let app = app.start().await.unwrap();
    app.execute("a", StockCommand::Fill { amount: 10 }).await.unwrap();
    app
}

async fn place(app: &Application, order: &str, pay_within: Duration) {
    let pay_by = later(app.environment().now(), pay_within);
    app.execute(order, OrderCommand::Place { stock: "a".into(), amount: 1, pay_by }).await.unwrap();
}

/// Waits until the order has ended, by following the log.
async fn outcome(app: &Application, order: &str) -> String {
    let ended = async {
        loop {
            let seen = app.events().signal().position();
            let loaded = app.load::<Order>(&order.to_owned()).await.unwrap();
            match loaded.map(|loaded| loaded.state.status) {
                Some(status) if status != "open" => return status,
                _ => app.events().signal().reached(seen.next()).await,
            }
        }
    };
    timeout(PATIENCE, ended).await.unwrap_or_else(|_| format!("{order} waits for something"))
}

#[test]
fn an_activity_that_blocks_its_thread_delays_no_other_activity_and_no_timer() {
    let runtime = Builder::new_multi_thread().worker_threads(3).enable_all().build().unwrap();
    runtime.block_on(async {
        let (began, (let_go, goes)) = (CancellationToken::new(), channel());
        let app = start(Blocking { began: began.clone(), let_go: Arc::new(Mutex::new(goes)) }).await;
        place(&app, "stuck", Duration::from_mins(5)).await;
        timeout(PATIENCE, began.cancelled()).await.unwrap();
        place(&app, "rich", Duration::from_mins(5)).await;
        place(&app, "slow", Duration::from_millis(50)).await;

        let others = [outcome(&app, "rich").await, outcome(&app, "slow").await];
        let_go.send(()).unwrap();
        assert_eq!(others, ["paid", "too late"]);
        assert_eq!(outcome(&app, "stuck").await, "paid");
    });
    runtime.shutdown_background();
}
