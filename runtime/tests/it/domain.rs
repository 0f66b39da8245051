//! A small domain for the tests: stock that is reserved, orders that take it, a process that pays.

use composable_rust_core::{
    Action, Activity, ActivityContext, ActivityError, ActivityPolicy, Call, Context, Decider, Decision,
    Environment, Input, Outcome, Process, ProcessId, Projection, Recorded, Rejected, Rejection, Row, Rows,
    State, Steps, call, cancel, dispatch, schedule, steps,
};
use composable_rust_runtime::{Application, ApplicationBuilder};
use composable_rust_testing::simulation::{Ending, Life, Simulation};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Places for sale.
#[derive(Debug, Clone, Default, PartialEq, State)]
pub(crate) struct Stock {
    pub free: u32,
    pub taken: BTreeMap<String, u32>,
}

#[derive(Debug, Clone, PartialEq, Action)]
pub(crate) enum StockAction {
    #[command]
    Fill { amount: u32 },
    #[command]
    Take { order: String, amount: u32 },
    #[command]
    GiveBack { order: String },
    #[event]
    Filled { amount: u32 },
    #[event]
    Taken { order: String, amount: u32 },
    #[event]
    GivenBack { order: String, amount: u32 },
}

#[derive(Debug, Clone, PartialEq, Rejection)]
pub(crate) enum StockRejection {
    #[rejection(message = "only {free} are free")]
    NotEnough { free: u32 },
}

impl Decider for Stock {
    type Action = StockAction;
    type Rejection = StockRejection;

    fn decide(&self, command: StockCommand, _: &Context) -> Decision<Self> {
        match command {
            StockCommand::Fill { amount } => Ok(vec![StockEvent::Filled { amount }]),
            StockCommand::Take { amount, .. } if amount > self.free => {
                Err(StockRejection::NotEnough { free: self.free })
            }
            StockCommand::Take { order, amount } => Ok(vec![StockEvent::Taken { order, amount }]),
            StockCommand::GiveBack { order } => Ok(self
                .taken
                .get(&order)
                .map(|amount| StockEvent::GivenBack { order: order.clone(), amount: *amount })
                .into_iter()
                .collect()),
        }
    }

    fn evolve(&mut self, event: &StockEvent) {
        match event {
            StockEvent::Filled { amount } => self.free += amount,
            StockEvent::Taken { order, amount } => {
                self.free -= amount;
                self.taken.insert(order.clone(), *amount);
            }
            StockEvent::GivenBack { order, amount } => {
                self.free += amount;
                self.taken.remove(order);
            }
        }
    }
}

/// An order of some stock.
#[derive(Debug, Clone, Default, PartialEq, State)]
pub(crate) struct Order {
    pub status: String,
}

#[derive(Debug, Clone, PartialEq, Action)]
pub(crate) enum OrderAction {
    #[command]
    Place { stock: String, amount: u32, pay_by: Timestamp },
    #[command]
    Finish { status: String },
    #[event]
    Placed { stock: String, amount: u32, pay_by: Timestamp },
    #[event]
    Finished { status: String },
}

#[derive(Debug, Clone, PartialEq, Rejection)]
pub(crate) enum OrderRejection {
    AlreadyPlaced,
    NotOpen,
}

impl Decider for Order {
    type Action = OrderAction;
    type Rejection = OrderRejection;

    fn decide(&self, command: OrderCommand, _: &Context) -> Decision<Self> {
        match (command, self.status.as_str()) {
            (OrderCommand::Place { stock, amount, pay_by }, "") => {
                Ok(vec![OrderEvent::Placed { stock, amount, pay_by }])
            }
            (OrderCommand::Place { .. }, _) => Err(OrderRejection::AlreadyPlaced),
            (OrderCommand::Finish { status }, "open") => Ok(vec![OrderEvent::Finished { status }]),
            (OrderCommand::Finish { .. }, _) => Err(OrderRejection::NotOpen),
        }
    }

    fn evolve(&mut self, event: &OrderEvent) {
        match event {
            OrderEvent::Placed { .. } => "open".clone_into(&mut self.status),
            OrderEvent::Finished { status } => self.status.clone_from(status),
        }
    }
}

/// Takes stock for an order, pays for it, and gives it back when that fails.
#[derive(Debug, Clone, Default, PartialEq, State)]
pub(crate) struct Checkout {
    order: String,
    stock: String,
    taken: bool,
}

#[derive(Debug, Clone, Input)]
pub(crate) enum CheckoutInput {
    Order(String, OrderEvent),
    Stock(String, StockEvent),
    #[rejected]
    NotTaken(Rejected<Stock>),
    #[rejected]
    NotFinished(Rejected<Order>),
    #[outcome]
    Paid(Outcome<Pay>),
    #[timer]
    TooLate,
}

#[derive(Debug, Clone, PartialEq, Call)]
#[call(answer = bool)]
pub(crate) struct Pay {
    pub order: String,
}

impl Process for Checkout {
    type Input = CheckoutInput;
    const NAME: &'static str = "checkout";

    fn id(input: &CheckoutInput) -> Option<ProcessId> {
        match input {
            CheckoutInput::Order(order, _) | CheckoutInput::Stock(_, StockEvent::Taken { order, .. }) => {
                Some(ProcessId::of(order))
            }
            CheckoutInput::Stock(..)
            | CheckoutInput::NotTaken(_)
            | CheckoutInput::NotFinished(_)
            | CheckoutInput::Paid(_)
            | CheckoutInput::TooLate => None,
        }
    }

    fn react(&mut self, input: Recorded<CheckoutInput>) -> Steps<Self> {
        match input.body {
            CheckoutInput::Order(order, OrderEvent::Placed { stock, amount, pay_by }) => {
                self.order.clone_from(&order);
                self.stock.clone_from(&stock);
                steps![
                    dispatch(stock, StockCommand::Take { order, amount }),
                    schedule(CheckoutTimer::TooLate, pay_by)
                ]
            }
            CheckoutInput::Stock(_, StockEvent::Taken { order, .. }) => {
                self.taken = true;
                steps![call(Pay { order })]
            }
            CheckoutInput::NotTaken(_) => self.finish("sold out"),
            CheckoutInput::Paid(Outcome { answer: true, .. }) => self.finish("paid"),
            CheckoutInput::Paid(Outcome { answer: false, .. }) => self.finish("declined"),
            CheckoutInput::TooLate => self.finish("too late"),
            CheckoutInput::Order(..) | CheckoutInput::Stock(..) | CheckoutInput::NotFinished(_) => steps![],
        }
    }
}

impl Checkout {
    fn finish(&mut self, status: &str) -> Steps<Self> {
        let mut steps = steps![
            dispatch(self.order.clone(), OrderCommand::Finish { status: status.into() }),
            cancel(CheckoutTimer::TooLate)
        ];
        if self.taken && status != "paid" {
            steps.push(dispatch(self.stock.clone(), StockCommand::GiveBack { order: self.order.clone() }));
        }
        steps
    }
}

/// How the bank answers, and what it was asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bank {
    pub log: Arc<Mutex<Vec<(String, u32)>>>,
    pub given_up: Arc<Mutex<Vec<String>>>,
}

#[async_trait::async_trait]
impl Activity for Bank {
    type Call = Pay;

    async fn perform(&self, call: Pay, context: ActivityContext) -> Result<bool, ActivityError> {
        self.log.lock().unwrap().push((context.idempotency_key, context.attempt));
        if call.order.starts_with("flaky") && context.attempt < 3 {
            return Err(ActivityError::Transient("no answer".into()));
        }
        assert!(!call.order.starts_with("panicky") || context.attempt > 2, "no such luck");
        if call.order.starts_with("never") {
            return Err(ActivityError::Transient("no answer".into()));
        }
        if call.order.starts_with("hopeless") {
            return Err(ActivityError::Permanent("no such account".into()));
        }
        if call.order.starts_with("slow") {
            std::future::pending::<()>().await;
        }
        Ok(!call.order.starts_with("poor"))
    }

    fn policy(&self) -> ActivityPolicy {
        ActivityPolicy { max_attempts: 7, ..ActivityPolicy::default() }
    }

    fn give_up(&self, call: &Pay, _: &ActivityError) -> bool {
        self.given_up.lock().unwrap().push(call.order.clone());
        false
    }
}

/// How much each stock has sold.
#[derive(Debug, Clone, PartialEq, Row)]
#[row(key = "stock")]
pub(crate) struct Sold {
    pub stock: String,
    pub amount: u32,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Sales;

impl Projection for Sales {
    type Event = StockEvent;
    type Row = Sold;
    const NAME: &'static str = "sales";

    fn project(&self, event: &Recorded<StockEvent>, rows: &mut Rows<Sold>) {
        match &event.body {
            StockEvent::Filled { .. } => {}
            StockEvent::Taken { amount, .. } => rows.upsert(
                event.key(),
                || Sold { stock: event.key().clone(), amount: 0 },
                |row| row.amount += amount,
            ),
            StockEvent::GivenBack { amount, .. } => rows.update(event.key(), |row| row.amount -= amount),
        }
    }
}

/// The application of these tests, on a simulation's storage.
pub(crate) fn application(simulation: &Simulation, environment: Environment) -> ApplicationBuilder {
    Application::builder("test")
        .environment(environment)
        .storage(simulation.storage())
        .decider::<Stock>()
        .decider::<Order>()
        .projection(Sales)
}

/// Runs `body` with a calm application.
pub(crate) fn live_once(body: impl AsyncFnOnce(Application)) {
    Simulation::run(1, async |simulation| {
        let ending = simulation
            .live(Life::CALM, async |environment| {
                let app = application(simulation, environment).start().await.unwrap();
                body(app).await;
            })
            .await;
        assert_eq!(ending, Ending::Finished(()));
        assert!(simulation.task_panics().is_empty(), "{:?}", simulation.task_panics());
    });
}
