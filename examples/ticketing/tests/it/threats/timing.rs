//! The end of a hold and the money come at the same moment, a millisecond earlier or later, while somebody else waits for
//! the only place.

use crate::client::Client;
use crate::invariants::{broken, told};
use crate::proof::Proof;
use crate::simulation::started;
use crate::story::{OnSale, Places, offer_with};
use composable_rust::Environment;
use composable_rust::prelude::*;
use composable_rust::testing::simulation::{Ending, Life, Simulation};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use ticketing::Parts;
use ticketing::account::Sessions;
use ticketing::payment::gateway::{Ledger, PaymentGateway, SimulatedGateway};
use ticketing::shared::Secret;

/// How long a slow charge takes, in milliseconds, and here a hold as well.
const SLOW: u64 = 3_000;
const SECRET: &[u8] = b"a secret of this simulation, long enough";

/// What happens when, in milliseconds from the end of the hold.
#[derive(Debug, Clone, Copy)]
struct Case {
    seed: u64,
    outcome: &'static str,
    money: i64,
    rival: i64,
}

impl Case {
    fn of(seed: u64) -> Self {
        let from_the_end = |number: u64| number.cast_signed() % 3 - 1;
        let outcome = if seed.is_multiple_of(2) { "slow" } else { "requires_action" };
        Self { seed, outcome, money: from_the_end(seed / 2), rival: from_the_end(seed / 6) }
    }

    /// What is wrong in the end, and where the order stands.
    fn end(self) -> (String, String) {
        Simulation::run(self.seed, async |simulation| {
            let bank = Arc::new(SimulatedGateway::new(Ledger::in_memory(), simulation.clock()));
            let life = async |environment: Environment| {
                // A slow charge is made 3 s after it was asked for: the hold ends so much earlier or later.
                let slow = if self.outcome == "slow" { self.money } else { 0 };
                let hold = Duration::from_millis(SLOW.saturating_add_signed(-slow));
                let parts = Parts {
                    gateway: Arc::clone(&bank) as Arc<dyn PaymentGateway>,
                    sessions: Sessions::new(Secret::new(SECRET), None),
                    hold,
                    payment: hold,
                };
                let app = started(parts, environment, simulation).await;
                let on_sale = offer_with(&app, 1, None, Places::Seats).await;
                let ended = self.race(&app, &on_sale).await;
                let broken = broken(&app, bank.ledger()).await;
                app.shutdown().await.expect("an orderly end");
                (told(&broken), ended)
            };
            match simulation.live(Life::CALM, life).await {
                Ending::Finished(ended) => ended,
                Ending::Crashed => panic!("nothing crashes here"),
            }
        })
    }

    async fn race(self, app: &Application, on_sale: &OnSale) -> String {
        let (buyer, rival) = (Client::new(app), Client::new(app));
        let (buyer, rival) = (buyer.sign_in("ann@example.org").await, rival.sign_in("eve@example.org").await);
        let clock = &app.environment().clock;
        let line = json!({ "section_id": on_sale.section, "tier_id": on_sale.tier, "quantity": 1 });
        let wanted = json!({ "event_id": on_sale.show, "lines": [line] });
        let order = buyer.post("/api/reservations", "order", wanted.clone()).await;
        let path = format!("/api/reservations/{}", order.text("/id"));
        let pay = |order: &str, outcome: &str| json!({ "reservation_id": order, "method": { "type": "simulated", "outcome": outcome } });
        let paying = buyer.post("/api/payments", "pay", pay(order.text("/id"), self.outcome)).await;
        let ends: Timestamp = buyer.get(&path).await.text("/expires_at").parse().expect("a time");
        let at = async |offset: i64| {
            let moment = ends.checked_add(SignedDuration::from_millis(offset)).expect("a time");
            let wait = moment.duration_since(clock.now());
            clock.sleep(Duration::try_from(wait).unwrap_or_default()).await;
        };
        let says = async {
            let Some(path) = paying.body["action_url"].as_str() else { return };
            at(self.money).await;
            buyer.post(path, "says", json!({ "approve": true })).await;
        };
        let takes = async {
            at(self.rival).await;
            let taken = rival.post("/api/reservations", "take", wanted).await;
            if taken.status == 201 {
                rival.post("/api/payments", "pay", pay(taken.text("/id"), "succeed")).await;
            }
        };
        futures_util::join!(says, takes);
        clock.sleep(Duration::from_mins(5)).await;
        buyer.get(&path).await.text("/status").to_owned()
    }
}

#[test]
fn simulation_of_money_at_the_end_of_the_hold_sells_the_place_or_gives_all_back() {
    let seen = Mutex::new(BTreeSet::new());
    let wrong = |seed| {
        let (wrong, ended) = Case::of(seed).end();
        seen.lock().unwrap().insert(ended);
        (!wrong.is_empty()).then_some(wrong)
    };
    if let Some((seed, wrong)) = Proof::of(180).first_that(wrong) {
        panic!("{:?}: {wrong}", Case::of(seed));
    }
    let seen = seen.into_inner().unwrap();
    assert!(seen.iter().all(|end| ["completed", "expired"].contains(&&**end)), "{seen:?}");
    assert_eq!(seen.len(), 2, "the race never goes the other way: {seen:?}");
}
