//! Any sequence of operations, through HTTP, also while the gateway fails, against a reference model (`model.rs`).
//!
//! Here nothing crashes and no storage fails: what is checked is that each answer is the right one, that after each
//! `capacity = free + held + sold + blocked`, with the model's numbers, in the state and in what is shown, and that in
//! the end the gateway has as much money, to the cent, as the tickets cost that nobody has given back.

use super::gateway::BadNetwork;
use super::model::{Model, Order, PRICE};
use super::started;
use crate::client::{Answer, Client};
use crate::invariants::{broken, told};
use crate::proof::Proof;
use crate::story::{OnSale, Places, offer_with};
use composable_rust::prelude::*;
use composable_rust::testing::simulation::{Ending, Life, Simulation};
use composable_rust::{Environment, later};
use jiff::Timestamp;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use ticketing::Parts;
use ticketing::account::Sessions;
use ticketing::inventory::Inventory;
use ticketing::payment::gateway::{Entry, Ledger, PaymentGateway, SimulatedGateway};
use ticketing::shared::{Secret, SectionId};

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
    Reserve {
        quantity: u32,
    },
    Pay {
        order: usize,
        outcome: &'static str,
    },
    Extend {
        order: usize,
    },
    GiveUp {
        order: usize,
    },
    /// So many tickets, of those that are left where there are so many; all that are left for none.
    Refund {
        order: usize,
        tickets: usize,
    },
    Adjust {
        add: u32,
        unblock: u32,
        block: u32,
        by_name: bool,
    },
    OpenSales,
    CloseSales,
    CancelShow,
    GatewayFails {
        fails: bool,
    },
    Wait {
        seconds: u64,
    },
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
        3 => (0_usize..8, 0_usize..3).prop_map(|(order, tickets)| Operation::Refund { order, tickets }),
        2 => (0_u32..3, 0_u32..4, any::<bool>())
            .prop_map(|(unblock, block, by_name)| Operation::Adjust { add: 0, unblock, block, by_name }),
        1 => (1_u32..4, 0_u32..4)
            .prop_map(|(add, block)| Operation::Adjust { add, unblock: 0, block, by_name: false }),
        1 => Just(Operation::OpenSales),
        1 => Just(Operation::CloseSales),
        1 => Just(Operation::CancelShow),
        2 => (0_u8..2).prop_map(|fails| Operation::GatewayFails { fails: fails == 0 }),
        2 => (1_u64..50).prop_map(|seconds| Operation::Wait { seconds }),
    ]
}

/// Everything of one case.
struct Shop<'a> {
    app: &'a Application,
    network: &'a BadNetwork,
    organiser: Client,
    buyer: Client,
    on_sale: OnSale,
    model: Model,
    /// For fresh keys.
    steps: u64,
}

impl<'a> Shop<'a> {
    async fn new(app: &'a Application, network: &'a BadNetwork, places: Places) -> Self {
        let on_sale = offer_with(app, CAPACITY, None, places).await;
        let organiser = Client::new(app).sign_in("organiser@example.org").await;
        let buyer = Client::new(app).sign_in("buyer@example.org").await;
        Self { app, network, organiser, buyer, on_sale, model: Model::new(CAPACITY, places), steps: 0 }
    }

    fn now(&self) -> Timestamp {
        self.app.environment().now()
    }

    async fn perform(&mut self, operation: &Operation) {
        self.steps += 1;
        let key = format!("step-{}", self.steps);
        match *operation {
            Operation::Reserve { quantity } => self.reserve(&key, quantity).await,
            Operation::Pay { order, outcome } => self.pay(&key, order, outcome).await,
            Operation::Extend { order } => self.extend(&key, order).await,
            Operation::GiveUp { order } => self.give_up(order).await,
            Operation::Refund { order, tickets } => self.refund(&key, order, tickets).await,
            Operation::Adjust { add, unblock, block, by_name } => {
                let names = if by_name { self.free_seats(block).await } else { None };
                self.adjust(&key, (add, unblock, block), names).await;
            }
            Operation::OpenSales => self.set_sales(&key, true).await,
            Operation::CloseSales => self.set_sales(&key, false).await,
            Operation::CancelShow => self.cancel_show().await,
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
        let free = self.model.free();
        if !self.model.is_open {
            assert_problem(&answer, 409, "sales_closed");
        } else if quantity > free {
            assert_problem(&answer, 409, "seats_unavailable");
            assert_eq!(answer.body["available"], free, "{answer:?}");
        } else {
            assert_eq!(answer.status, 201, "{answer:?}");
            let expires = later(self.now(), HOLD);
            self.model.orders.push(Order::new(answer.text("/id"), quantity, expires));
        }
    }

    async fn pay(&mut self, key: &str, order: usize, outcome: &str) {
        let Some(place) = order.checked_rem(self.model.orders.len()) else { return };
        let order = &mut self.model.orders[place];
        let before = order.status.clone();
        let method = json!({ "type": "simulated", "outcome": outcome });
        let body = json!({ "reservation_id": order.id, "method": method });
        let guaranteed = later(self.app.environment().now(), PAYMENT);
        let answer = self.buyer.post("/api/payments", key, body).await;
        match &*before {
            "held" if answer.status == 201 => {
                order.status = "paying".into();
                order.payment = Some(answer.text("/id").to_owned());
                order.expires = order.expires.max(guaranteed);
            }
            // Its tenth attempt is its last.
            "held" => assert_problem(&answer, 409, "limit_exceeded"),
            "paying" => assert_problem(&answer, 409, "payment_in_progress"),
            "completed" | "refunded" | "partially_refunded" => assert_problem(&answer, 409, "already_paid"),
            "expired" => assert_problem(&answer, 410, "hold_expired"),
            _ => assert_problem(&answer, 409, "wrong_state"),
        }
    }

    async fn extend(&mut self, key: &str, order: usize) {
        let Some(place) = order.checked_rem(self.model.orders.len()) else { return };
        let until = later(self.now(), HOLD);
        let order = &mut self.model.orders[place];
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
            "completed" | "refunded" | "partially_refunded" => assert_problem(&answer, 409, "already_paid"),
            "expired" => assert_problem(&answer, 410, "hold_expired"),
            _ => assert_problem(&answer, 409, "wrong_state"),
        }
    }

    async fn give_up(&mut self, order: usize) {
        let Some(place) = order.checked_rem(self.model.orders.len()) else { return };
        let order = &mut self.model.orders[place];
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
            "completed" | "refunded" | "partially_refunded" => assert_problem(&answer, 409, "already_paid"),
            _ => assert_problem(&answer, 410, "hold_expired"),
        }
    }

    async fn refund(&mut self, key: &str, order: usize, tickets: usize) {
        let Some(place) = order.checked_rem(self.model.orders.len()) else { return };
        let order = &mut self.model.orders[place];
        let Some(payment) = order.payment.clone() else { return };
        let listed = self.buyer.get(&format!("/api/tickets?reservation_id={}", order.id)).await;
        let all = listed.body["items"].as_array().into_iter().flatten();
        let all: Vec<_> = all.filter_map(|ticket| ticket["id"].as_str().map(str::to_owned)).collect();
        assert_eq!(all.len(), if order.is_paid() { order.quantity as usize } else { 0 }, "{order:?}");
        let named = order.to_give_back(&all, tickets);
        let body = if tickets == 0 { json!({}) } else { json!({ "ticket_ids": named }) };
        if tickets > 0 && named.is_empty() {
            return;
        }
        let path = format!("/api/payments/{payment}/refund");
        let answer = self.organiser.post(&path, key, body).await;
        // Of a cancelled show everything is going back already.
        let is_gone = self.model.is_cancelled || named.is_empty();
        if is_gone || named.iter().any(|ticket| order.given_back.contains(ticket)) {
            return assert_problem(&answer, 409, "nothing_to_refund");
        }
        assert_eq!(answer.status, 200, "{answer:?}");
        order.given_back.extend(named.iter().cloned());
        let left = all.len() - order.given_back.len();
        assert_eq!(answer.body["refunded"]["amount"], PRICE * named.len() as u64, "{answer:?}");
        assert_eq!(answer.body["remaining"]["amount"], PRICE * left as u64, "{answer:?}");
        assert!(["refunded", "processing"].contains(&answer.text("/status")), "{answer:?}");
    }

    /// The organiser ends everything; again and again, if somebody wants to.
    async fn cancel_show(&mut self) {
        let answer = self.organiser.delete(&format!("/api/events/{}", self.on_sale.show)).await;
        assert_eq!(answer.status, 204, "{answer:?}");
        self.model.cancel(self.now());
    }

    /// So many free seats by their ids, where they have some and so many are free.
    async fn free_seats(&self, count: u32) -> Option<Vec<Value>> {
        let shown = self.organiser.get(&format!("/api/events/{}/availability", self.on_sale.show)).await;
        let seats = shown.body["sections"][0]["seats"].as_array()?;
        let free = seats.iter().filter(|seat| seat["state"] == "free").map(|seat| seat["id"].clone());
        let free: Vec<_> = free.take(count as usize).collect();
        (free.len() == count as usize).then_some(free)
    }

    async fn adjust(&mut self, key: &str, (add, unblock, block): (u32, u32, u32), names: Option<Vec<Value>>) {
        let path = format!("/api/events/{}/sections/{}/inventory", self.on_sale.show, self.on_sale.section);
        let blocked = names.map_or(json!(block), Value::from);
        let change = json!({ "add_capacity": add, "unblock": unblock, "block": blocked });
        let answer = self.organiser.post(&path, key, change).await;
        let model = &mut self.model;
        if model.is_cancelled {
            assert_problem(&answer, 409, if add > 0 { "wrong_state" } else { "sales_closed" });
        } else if add > 0 && model.places == Places::Seats {
            assert_problem(&answer, 422, "validation_failed");
        } else if unblock > model.blocked {
            assert_problem(&answer, 409, "wrong_state");
        } else if block > model.free() + add + unblock {
            assert_problem(&answer, 409, "seats_unavailable");
        } else {
            assert_eq!(answer.status, 200, "{answer:?}");
            model.capacity += add;
            model.blocked = model.blocked - unblock + block;
        }
    }

    async fn set_sales(&mut self, key: &str, open: bool) {
        let step = if open { "open-sales" } else { "close-sales" };
        let path = format!("/api/events/{}/{step}", self.on_sale.show);
        let answer = self.organiser.post(&path, key, json!({})).await;
        if answer.status == 200 && !self.model.is_cancelled {
            self.model.is_open = open;
        } else {
            let is_refused = self.model.is_cancelled || self.model.is_open == open;
            assert_eq!((answer.status.as_u16(), is_refused), (409, true), "{answer:?}");
        }
    }

    /// Learns what the gateway and time have made of the orders, each within what the model allows.
    async fn learn(&mut self) {
        let now = self.now();
        for place in 0..self.model.orders.len() {
            let found = self.buyer.get(&format!("/api/reservations/{}", self.model.orders[place].id)).await;
            let paid = found.body["payment_id"].as_str().map(|id| format!("/api/payments/{id}"));
            let back = match paid {
                Some(path) => self.buyer.get(&path).await.body["refunded"]["amount"].as_u64().unwrap_or(0),
                None => 0,
            };
            self.model.learn(place, (found.text("/status"), back), (now, LATE));
        }
    }

    async fn compare(&self) {
        let Model { capacity, blocked, .. } = self.model;
        let wanted = [capacity, self.model.free(), self.model.held(), self.model.sold(), blocked];
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

    /// When everything has come to rest: the money, and what the model has asked for.
    fn settle(&self, ledger: &Ledger) {
        let kept: i64 = ledger.entries().iter().map(Entry::kept).sum();
        assert_eq!(kept.cast_unsigned(), PRICE * u64::from(self.model.sold()), "{:?}", ledger.entries());
        for order in &self.model.orders {
            assert_eq!(order.refunded as usize, order.given_back.len(), "{order:?}");
            assert!(!self.model.is_cancelled || order.kept() == 0, "{order:?}");
        }
    }
}

#[track_caller]
fn assert_problem(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status.as_u16(), answer.text("/code")), (status, code), "{answer:?}");
}

fn check(places: Places, operations: &[Operation]) {
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
            let app = started(parts, environment, simulation).await;
            let mut shop = Shop::new(&app, &network, places).await;
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
            shop.settle(bank.ledger());
            let broken = broken(&app, bank.ledger()).await;
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
        let places = prop_oneof![Just(Places::Seats), Just(Places::Alike)];
        let histories = (places, proptest::collection::vec(operation(), 1..40));
        let run = TestRunner::new_with_rng(config, random).run(&histories, |(places, history)| {
            check(places, &history);
            Ok(())
        });
        run.err().map(|error| error.to_string())
    };
    if let Some((seed, error)) = Proof::of(60).first_that(wrong) {
        panic!("case {seed}: {error}");
    }
}
