//! Any sequence of operations, through HTTP, also while the gateway fails, against a reference model: a list of orders.
//!
//! Here nothing crashes and no storage fails: what is checked is that each answer is the right one, and that after each
//! `capacity = free + held + sold + blocked`, with the model's numbers, in the state and in what is shown.

use super::gateway::BadNetwork;
use crate::client::{Answer, Client};
use crate::invariants::{broken, told};
use crate::proof::Proof;
use crate::story::{OnSale, offer_with};
use composable_rust::prelude::*;
use composable_rust::testing::simulation::{Ending, Life, Simulation};
use composable_rust::{Environment, later};
use jiff::Timestamp;
use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use ticketing::account::Sessions;
use ticketing::inventory::Inventory;
use ticketing::payment::gateway::{Ledger, PaymentGateway, SimulatedGateway};
use ticketing::shared::{Secret, SectionId};
use ticketing::{Parts, assembled};

const CAPACITY: u32 = 8;
const HOLD: Duration = Duration::from_mins(1);
const PAYMENT: Duration = Duration::from_secs(40);
/// In which what follows from an answer has happened; no sum of it and of whole seconds meets the end of a hold.
const SOON: Duration = Duration::from_millis(997);
/// The latest end of a hold after its expiry: the time that it takes to find out that the gateway is silent.
const LATE: Duration = Duration::from_secs(10);
const REST: Duration = Duration::from_mins(10);

/// What somebody does; orders are named by their number, modulo how many there are.
#[derive(Debug, Clone)]
enum Operation {
    Reserve { quantity: u32 },
    Pay { order: usize, outcome: &'static str },
    Extend { order: usize },
    GiveUp { order: usize },
    Adjust { unblock: u32, block: u32 },
    OpenSales,
    CloseSales,
    GatewayFails { fails: bool },
    Wait { seconds: u64 },
}

fn operation() -> impl Strategy<Value = Operation> {
    let outcome = || {
        prop_oneof![
            Just("succeed"),
            Just("decline"),
            Just("slow"),
            Just("lost_answer"),
            Just("requires_action"),
            Just("late_success")
        ]
    };
    prop_oneof![
        6 => (1_u32..5).prop_map(|quantity| Operation::Reserve { quantity }),
        6 => (0_usize..8, outcome()).prop_map(|(order, outcome)| Operation::Pay { order, outcome }),
        2 => (0_usize..8).prop_map(|order| Operation::Extend { order }),
        2 => (0_usize..8).prop_map(|order| Operation::GiveUp { order }),
        2 => (0_u32..3, 0_u32..4).prop_map(|(unblock, block)| Operation::Adjust { unblock, block }),
        1 => Just(Operation::OpenSales),
        1 => Just(Operation::CloseSales),
        2 => (0_u8..2).prop_map(|fails| Operation::GatewayFails { fails: fails == 0 }),
        2 => (1_u64..50).prop_map(|seconds| Operation::Wait { seconds }),
    ]
}

/// An order as the model knows it.
#[derive(Debug)]
struct Order {
    id: String,
    quantity: u32,
    status: String,
    extensions: u32,
    expires: Timestamp,
}

impl Order {
    fn is_held(&self) -> bool {
        ["held", "paying"].contains(&&*self.status)
    }

    /// Where it may stand next. Late money completes what has expired.
    fn may_become(&self, next: &str) -> bool {
        let next_ones: &[&str] = match &*self.status {
            "held" | "paying" => &["held", "paying", "completed", "expired", "cancelled"],
            "expired" => &["expired", "completed"],
            "completed" => &["completed"],
            "cancelled" => &["cancelled"],
            unknown => panic!("{unknown:?} is no status"),
        };
        next_ones.contains(&next)
    }
}

/// Everything of one case.
struct Shop<'a> {
    app: &'a Application,
    network: &'a BadNetwork,
    organiser: Client,
    buyer: Client,
    on_sale: OnSale,
    is_open: bool,
    orders: Vec<Order>,
    blocked: u32,
    /// For fresh keys.
    steps: u64,
}

impl<'a> Shop<'a> {
    async fn new(app: &'a Application, network: &'a BadNetwork) -> Self {
        let on_sale = offer_with(app, CAPACITY, None).await;
        let organiser = Client::new(app).sign_in("organiser@example.org").await;
        let buyer = Client::new(app).sign_in("buyer@example.org").await;
        Self {
            app,
            network,
            organiser,
            buyer,
            on_sale,
            is_open: true,
            orders: Vec::new(),
            blocked: 0,
            steps: 0,
        }
    }

    fn now(&self) -> Timestamp {
        self.app.environment().now()
    }

    fn count(&self, wanted: impl Fn(&Order) -> bool) -> u32 {
        self.orders.iter().filter(|order| wanted(order)).map(|order| order.quantity).sum()
    }

    fn free(&self) -> u32 {
        CAPACITY - self.blocked - self.count(|order| order.is_held() || order.status == "completed")
    }

    async fn perform(&mut self, operation: &Operation) {
        self.steps += 1;
        let key = format!("step-{}", self.steps);
        match *operation {
            Operation::Reserve { quantity } => self.reserve(&key, quantity).await,
            Operation::Pay { order, outcome } => self.pay(&key, order, outcome).await,
            Operation::Extend { order } => self.extend(&key, order).await,
            Operation::GiveUp { order } => self.give_up(order).await,
            Operation::Adjust { unblock, block } => self.adjust(&key, unblock, block).await,
            Operation::OpenSales => self.set_sales(&key, true).await,
            Operation::CloseSales => self.set_sales(&key, false).await,
            Operation::GatewayFails { fails } => self.network.fail(fails),
            Operation::Wait { seconds } => {
                self.app.environment().clock.sleep(Duration::from_secs(seconds)).await;
            }
        }
    }

    async fn reserve(&mut self, key: &str, quantity: u32) {
        let OnSale { show, section, tier } = &self.on_sale;
        let line = json!({ "section_id": section, "tier_id": tier, "quantity": quantity });
        let wanted = json!({ "event_id": show, "lines": [line] });
        let answer = self.buyer.post("/api/reservations", key, wanted).await;
        if !self.is_open {
            assert_problem(&answer, 409, "sales_closed");
        } else if quantity > self.free() {
            assert_problem(&answer, 409, "seats_unavailable");
            assert_eq!(answer.body["available"], self.free(), "{answer:?}");
        } else {
            assert_eq!(answer.status, 201, "{answer:?}");
            let (id, expires) = (answer.text("/id").to_owned(), later(self.now(), HOLD));
            self.orders.push(Order { id, quantity, status: "held".into(), extensions: 0, expires });
        }
    }

    async fn pay(&mut self, key: &str, order: usize, outcome: &str) {
        let Some(place) = order.checked_rem(self.orders.len()) else { return };
        let order = &mut self.orders[place];
        let before = order.status.clone();
        let method = json!({ "type": "simulated", "outcome": outcome });
        let body = json!({ "reservation_id": order.id, "method": method });
        let guaranteed = later(self.app.environment().now(), PAYMENT);
        let answer = self.buyer.post("/api/payments", key, body).await;
        match &*before {
            "held" if answer.status == 201 => {
                order.status = "paying".into();
                order.expires = order.expires.max(guaranteed);
            }
            // Its tenth attempt is its last.
            "held" => assert_problem(&answer, 409, "limit_exceeded"),
            "paying" => assert_problem(&answer, 409, "payment_in_progress"),
            "completed" => assert_problem(&answer, 409, "already_paid"),
            "expired" => assert_problem(&answer, 410, "hold_expired"),
            _ => assert_problem(&answer, 409, "wrong_state"),
        }
    }

    async fn extend(&mut self, key: &str, order: usize) {
        let Some(place) = order.checked_rem(self.orders.len()) else { return };
        let until = later(self.now(), HOLD);
        let order = &mut self.orders[place];
        let answer = self.buyer.post(&format!("/api/reservations/{}/extend", order.id), key, json!({})).await;
        match &*order.status {
            // It is being ended.
            "held" | "paying" if until > later(order.expires, HOLD) => {
                assert_problem(&answer, 410, "hold_expired");
            }
            "held" | "paying" if order.extensions == 10 => assert_problem(&answer, 409, "limit_exceeded"),
            "held" | "paying" => {
                assert_eq!(answer.status, 200, "{answer:?}");
                order.extensions += 1;
                order.expires = order.expires.max(until);
                let told: Timestamp = answer.text("/expires_at").parse().unwrap();
                assert!(told >= until && told <= later(order.expires, SOON), "{order:?} {answer:?}");
            }
            "completed" => assert_problem(&answer, 409, "already_paid"),
            "expired" => assert_problem(&answer, 410, "hold_expired"),
            _ => assert_problem(&answer, 409, "wrong_state"),
        }
    }

    async fn give_up(&mut self, order: usize) {
        let Some(place) = order.checked_rem(self.orders.len()) else { return };
        let order = &mut self.orders[place];
        let answer = self.buyer.delete(&format!("/api/reservations/{}", order.id)).await;
        match &*order.status {
            "held" | "cancelled" => {
                assert_eq!(answer.status, 204, "{answer:?}");
                order.status = "cancelled".into();
            }
            // The gateway has the last word: stopped, charged or silent.
            "paying" if answer.status == 204 => order.status = "cancelled".into(),
            "paying" => {
                let code = answer.text("/code");
                assert!(["already_paid", "payment_in_progress"].contains(&code), "{answer:?}");
            }
            "completed" => assert_problem(&answer, 409, "already_paid"),
            _ => assert_problem(&answer, 410, "hold_expired"),
        }
    }

    async fn adjust(&mut self, key: &str, unblock: u32, block: u32) {
        let path = format!("/api/events/{}/sections/{}/inventory", self.on_sale.show, self.on_sale.section);
        let answer = self.organiser.post(&path, key, json!({ "unblock": unblock, "block": block })).await;
        if unblock > self.blocked {
            assert_problem(&answer, 409, "wrong_state");
        } else if block > self.free() + unblock {
            assert_problem(&answer, 409, "seats_unavailable");
        } else {
            assert_eq!(answer.status, 200, "{answer:?}");
            self.blocked = self.blocked - unblock + block;
        }
    }

    async fn set_sales(&mut self, key: &str, open: bool) {
        let step = if open { "open-sales" } else { "close-sales" };
        let path = format!("/api/events/{}/{step}", self.on_sale.show);
        let answer = self.organiser.post(&path, key, json!({})).await;
        if answer.status == 200 {
            self.is_open = open;
        } else {
            assert_eq!((answer.status.as_u16(), self.is_open), (409, open), "{answer:?}");
        }
    }

    /// Learns what the gateway and time have made of the orders, each within what the model allows.
    async fn learn(&mut self) {
        for place in 0..self.orders.len() {
            let answer = self.buyer.get(&format!("/api/reservations/{}", self.orders[place].id)).await;
            let (now, order) = (self.now(), &mut self.orders[place]);
            let next = answer.text("/status");
            assert!(order.may_become(next), "{order:?} became {next}");
            assert!(next != "expired" || now >= order.expires, "{order:?} expired early, at {now}");
            next.clone_into(&mut order.status);
            assert!(!order.is_held() || now <= later(order.expires, LATE), "{order:?} is late at {now}");
        }
    }

    async fn compare(&self) {
        let (free, held, sold) =
            (self.free(), self.count(Order::is_held), self.count(|order| order.status == "completed"));
        let wanted = [CAPACITY, free, held, sold, self.blocked];
        let section: SectionId = self.on_sale.section.parse().unwrap();
        let state = self.app.load::<Inventory>(&section).await.unwrap().unwrap().state;
        assert!(state.is_sound(), "{state:?}");
        let counts = &state.counts;
        assert_eq!(
            [counts.capacity, counts.free, counts.held, counts.sold, counts.blocked],
            wanted,
            "{state:?}"
        );
        let path = format!("/api/events/{}/availability", self.on_sale.show);
        let shown = self.organiser.get(&path).await;
        let shown = ["capacity", "free", "held", "sold", "blocked"]
            .map(|name| shown.body["sections"][0][name].as_u64().unwrap());
        assert_eq!(shown, wanted.map(u64::from));
    }
}

#[track_caller]
fn assert_problem(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status.as_u16(), answer.text("/code")), (status, code), "{answer:?}");
}

fn check(operations: &[Operation]) {
    Simulation::run(0, async |simulation| {
        let bank = Arc::new(SimulatedGateway::new(Ledger::in_memory(), simulation.clock()));
        let gateway = Arc::clone(&bank) as Arc<dyn PaymentGateway>;
        let network = Arc::new(BadNetwork::new(gateway, simulation.clock(), 0));
        network.mend();
        let case = async |environment: Environment| {
            let parts = Parts {
                gateway: Arc::clone(&network) as Arc<dyn PaymentGateway>,
                sessions: Sessions::new(Secret::new(b"a secret of this simulation, long enough"), None),
                hold: HOLD,
                payment: PAYMENT,
            };
            let application = assembled(parts).environment(environment).storage(simulation.storage());
            let app = application.http(HttpOptions::in_process()).start().await.expect("a sound application");
            let mut shop = Shop::new(&app, &network).await;
            for operation in operations {
                shop.perform(operation).await;
                app.environment().clock.sleep(SOON).await;
                shop.learn().await;
                shop.compare().await;
            }
            network.fail(false);
            app.environment().clock.sleep(REST).await;
            shop.learn().await;
            shop.compare().await;
            let broken = broken(&app, &shop.on_sale.section, bank.ledger()).await;
            assert!(broken.is_empty(), "{}", told(&broken));
            app.shutdown().await.expect("an orderly end");
        };
        assert_eq!(simulation.live(Life::CALM, case).await, Ending::Finished(()));
        assert_eq!(simulation.task_panics(), Vec::<String>::new());
    });
}

/// Sixty cases, or as many as fit in the time asked for; what fails is made short.
#[test]
fn simulation_of_any_operations_agrees_with_a_reference_model_while_the_gateway_fails() {
    let wrong = |seed: u64| {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let config =
            Config { cases: 1, max_shrink_iters: 2_000, failure_persistence: None, ..Config::default() };
        let histories = proptest::collection::vec(operation(), 1..40);
        let run = TestRunner::new_with_rng(config, random).run(&histories, |history| {
            check(&history);
            Ok(())
        });
        run.err().map(|error| error.to_string())
    };
    if let Some((seed, error)) = Proof::of(60).first_that(wrong) {
        panic!("case {seed}: {error}");
    }
}
