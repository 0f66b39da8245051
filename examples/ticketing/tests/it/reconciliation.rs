//! What goes wrong at the gateway is noticed: books that differ are found, and people are told when it is silent.

use crate::client::Client;
use crate::simulation::restarts::{Lost, Silent};
use crate::simulation::started;
use crate::story::{OnSale, Places, offer_with};
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use composable_rust::Clock;
use composable_rust::prelude::*;
use composable_rust::runtime::resilience::{CircuitState, Circuits};
use composable_rust::testing::simulation::{Ending, Life, Simulation};
use composable_rust::web::InProcess;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use ticketing::Parts;
use ticketing::account::Sessions;
use ticketing::payment::gateway::{Breaking, Entry, Fate, Ledger, PaymentGateway, SimulatedGateway};
use ticketing::shared::{Currency, Money, PaymentId, RefundId, Secret};

/// Longer than between two looks at the books, twice.
const TWO_LOOKS: Duration = Duration::from_mins(11);

/// Runs the application with this gateway and this long a hold, and `story` in it.
fn with_gateway(
    hold: Duration,
    gateway: impl FnOnce(Arc<dyn Clock>) -> Arc<dyn PaymentGateway>,
    story: impl AsyncFnOnce(&Application),
) {
    Simulation::run(0, async |simulation| {
        let parts = Parts {
            gateway: gateway(simulation.clock()),
            sessions: Sessions::new(
                Secret::new(b"a secret of this simulation, long enough"),
                Some("root@example.org".to_owned()),
            ),
            hold,
            payment: hold,
        };
        let ended = simulation.live(Life::CALM, async |environment| {
            let app = started(parts, environment, simulation).await;
            story(&app).await;
            app.shutdown().await.expect("an orderly end");
        });
        assert_eq!(ended.await, Ending::Finished(()));
    });
}

/// Orders a place and pays it; answers the ids of order and payment.
async fn buy(buyer: &Client, on_sale: &OnSale, key: &str, outcome: &str) -> (String, String) {
    let line = json!({ "section_id": on_sale.section, "tier_id": on_sale.tier, "quantity": 1 });
    let order =
        buyer.post("/api/reservations", key, json!({ "event_id": on_sale.show, "lines": [line] })).await;
    let method = json!({ "type": "simulated", "outcome": outcome });
    let pay = json!({ "reservation_id": order.text("/id"), "method": method });
    let paid = buyer.post("/api/payments", key, pay).await;
    assert_eq!(paid.status, 201, "{paid:?}");
    (order.text("/id").to_owned(), paid.text("/id").to_owned())
}

/// What the last look has found: the difference of each payment.
async fn found(admin: &Client) -> (u64, BTreeMap<String, String>) {
    let report = admin.get("/api/reconciliation").await;
    assert_eq!(report.status, 200, "{report:?}");
    let text = |mismatch: &Value, name: &str| mismatch[name].as_str().unwrap_or_default().to_owned();
    let mismatches = report.body["mismatches"].as_array().cloned().unwrap_or_default();
    let found = mismatches.iter().map(|mismatch| (text(mismatch, "payment"), text(mismatch, "difference")));
    (report.body["compared"].as_u64().unwrap_or_default(), found.collect())
}

#[test]
fn planted_mismatches_between_the_gateways_books_and_ours_are_found_and_nothing_else() {
    let bank = &std::cell::OnceCell::new();
    with_gateway(
        Duration::from_hours(1),
        |clock| {
            let gateway = Arc::new(SimulatedGateway::new(Ledger::in_memory(), clock));
            _ = bank.set(Arc::clone(&gateway));
            gateway
        },
        async |app| {
            let on_sale = offer_with(app, 20, None, Places::Alike).await;
            let buyer = Client::new(app).sign_in("ann@example.org").await;
            let admin = Client::new(app).sign_in("root@example.org").await;
            let mut ids = Vec::new();
            for (key, outcome) in
                [("a", "succeed"), ("b", "succeed"), ("c", "slow"), ("d", "lost_answer"), ("e", "decline")]
            {
                ids.push(buy(&buyer, &on_sale, key, outcome).await.1);
            }
            app.environment().clock.sleep(TWO_LOOKS).await;
            assert_eq!(found(&admin).await, (4, BTreeMap::new()), "as long as nothing is wrong");

            let ledger = bank.get().expect("the gateway").ledger();
            let plant = |payment: &str, change: &dyn Fn(&mut Entry)| {
                let id: PaymentId = payment.parse().expect("an id");
                let changed = ledger.change(id, |entry| {
                    let fate = Fate::Charged { at: app.environment().now() };
                    let mut entry = entry.cloned().unwrap_or_else(|| Entry::new(id, None, fate));
                    change(&mut entry);
                    (Some(entry), ())
                });
                changed.expect("books in memory");
            };
            let euros = |amount| Money::new(amount, Currency::EUR);
            let unknown = PaymentId::from(app.environment().new_id()).to_string();
            plant(&ids[0], &|entry| entry.amount = Some(euros(1)));
            plant(&ids[1], &|entry| entry.fate = Fate::Declined);
            plant(&ids[2], &|entry| {
                entry.refunds.insert(RefundId::of_all(entry.payment), euros(1));
            });
            plant(&ids[4], &|entry| entry.fate = Fate::Charged { at: app.environment().now() });
            plant(&unknown, &|entry| entry.amount = Some(euros(4_500)));
            app.environment().clock.sleep(TWO_LOOKS).await;
            let planted = [
                (ids[0].as_str(), "amount"),
                (&ids[1], "not_charged"),
                (&ids[2], "refunded"),
                (&ids[4], "charged"),
                (&unknown, "unknown"),
            ];
            let planted = planted.map(|(payment, difference)| (payment.to_owned(), difference.to_owned()));
            assert_eq!(found(&admin).await, (6, planted.into()));
            assert_eq!(buyer.get("/api/reconciliation").await.status, 403);
        },
    );
}

/// The page of an order, as its buyer sees it.
async fn page(app: &Application, buyer: &Client, order: &str) -> String {
    let request = Request::get(format!("/orders/{order}")).header(header::ACCEPT, "text/html");
    let request = buyer.signed(request).body(Body::empty()).expect("a request");
    let answer = app.get::<InProcess>().expect("an application with HTTP").answer(request).await;
    assert_eq!(answer.status(), 200);
    let bytes = to_bytes(answer.into_body(), usize::MAX).await.expect("a page in memory");
    String::from_utf8(bytes.into()).expect("text")
}

#[test]
fn a_silent_gateway_is_left_in_peace_and_the_pages_say_so_until_it_answers_again() {
    const SILENT: &str = "The bank does not answer at the moment";
    let bank = &std::cell::OnceCell::new();
    with_gateway(
        Duration::from_hours(1),
        |clock| {
            let right = SimulatedGateway::new(Ledger::in_memory(), Arc::clone(&clock));
            let is_mended = AtomicBool::new(true);
            let silent = Arc::new(Silent { right, lost: Lost::Requests, is_mended });
            _ = bank.set(Arc::clone(&silent));
            Arc::new(Breaking::new(silent, clock))
        },
        async |app| {
            let silent: &Arc<Silent> = bank.get().expect("the gateway");
            let circuit = || {
                let circuits = app.get::<Circuits>().expect("the circuits").states();
                circuits.into_iter().find(|(name, _)| *name == "payment gateway").map(|(_, state)| state)
            };
            let on_sale = offer_with(app, 20, None, Places::Alike).await;
            let buyer = Client::new(app).sign_in("ann@example.org").await;
            silent.is_mended.store(false, Ordering::SeqCst);
            let (order, payment) = buy(&buyer, &on_sale, "a", "succeed").await;
            assert_eq!(circuit(), Some(CircuitState::Closed), "one failure is none");
            assert!(!page(app, &buyer, &order).await.contains(SILENT));
            for key in ["b", "c", "d", "e"] {
                buy(&buyer, &on_sale, key, "succeed").await;
            }
            assert_eq!(circuit(), Some(CircuitState::Open));
            let shown = page(app, &buyer, &order).await;
            assert!(shown.contains(SILENT) && shown.contains("you are charged once"), "{shown}");

            silent.is_mended.store(true, Ordering::SeqCst);
            app.environment().clock.sleep(Duration::from_mins(5)).await;
            assert_eq!(circuit(), Some(CircuitState::Closed));
            assert!(!page(app, &buyer, &order).await.contains(SILENT));
            assert_eq!(buyer.get(&format!("/api/payments/{payment}")).await.text("/status"), "succeeded");
        },
    );
}

/// Takes `outcome` so often that a circuit would open, lets the hold end, and then pays with every other outcome.
fn pays_beside(hold: Duration, outcome: &'static str, attempts: usize) {
    let gateway = |clock: Arc<dyn Clock>| {
        let simulated = SimulatedGateway::new(Ledger::in_memory(), Arc::clone(&clock));
        Arc::new(Breaking::new(Arc::new(simulated), clock)) as Arc<dyn PaymentGateway>
    };
    with_gateway(hold, gateway, async |app| {
        let on_sale = offer_with(app, 40, None, Places::Alike).await;
        let attacker = Client::new(app).sign_in("eve@example.org").await;
        for key in 0..attempts {
            buy(&attacker, &on_sale, &format!("{outcome}{key}"), outcome).await;
        }
        let buyer = Client::new(app).sign_in("ann@example.org").await;
        let clock = &app.environment().clock;
        // At once; and while everything of his is being stopped.
        for (round, wait) in [Duration::ZERO, hold, Duration::from_millis(700)].into_iter().enumerate() {
            clock.sleep(wait).await;
            for (outcome, status) in
                [("succeed", "succeeded"), ("decline", "declined"), ("requires_action", "requires_action")]
            {
                let (_, payment) = buy(&buyer, &on_sale, &format!("{outcome}{round}"), outcome).await;
                let paid = buyer.get(&format!("/api/payments/{payment}")).await;
                assert_eq!(paid.text("/status"), status, "beside {outcome}, round {round}");
            }
        }
        let circuits = app.get::<Circuits>().expect("the circuits").states();
        assert!(circuits.contains(&("payment gateway", CircuitState::Closed)), "{circuits:?}");
    });
}

#[test]
fn nobody_stops_the_payments_of_others_with_his_own() {
    pays_beside(Duration::from_hours(1), "lost_answer", 8);
    pays_beside(Duration::from_secs(20), "late_success", 8);
}

#[test]
fn late_money_is_noticed_soon_after_it_came() {
    for hold in [1, 5, 20, 300] {
        let gateway = |clock| Arc::new(SimulatedGateway::new(Ledger::in_memory(), clock)) as _;
        with_gateway(Duration::from_secs(hold), gateway, async |app| {
            let on_sale = offer_with(app, 4, None, Places::Alike).await;
            let buyer = Client::new(app).sign_in("ann@example.org").await;
            let (order, payment) = buy(&buyer, &on_sale, "a", "late_success").await;
            // Charged a second after the end of the hold; a silent stop may take 5 s before.
            app.environment().clock.sleep(Duration::from_secs(hold + 4)).await;
            let paid = buyer.get(&format!("/api/payments/{payment}")).await;
            let order = buyer.get(&format!("/api/reservations/{order}")).await;
            assert_eq!((paid.text("/status"), order.text("/status")), ("succeeded", "completed"), "{hold} s");
        });
    }
}
