//! A show with many orders is cancelled, page by page of them, and the program is killed between two pages.
//!
//! `MANY_ORDERS` says how many; the time that it takes should grow as they do.

use crate::client::Client;
use crate::invariants::{broken, told};
use crate::proof::number;
use crate::simulation::started;
use crate::story::{OnSale, Places, offer_with};
use composable_rust::Environment;
use composable_rust::prelude::*;
use composable_rust::testing::simulation::{Ending, Life, Simulation};
use futures_util::future::join_all;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use ticketing::Parts;
use ticketing::account::Sessions;
use ticketing::payment::gateway::{Entry, Ledger, PaymentGateway, SimulatedGateway};
use ticketing::shared::Secret;

/// More than two pages.
const ORDERS: u64 = 250;
const CUSTOMERS: u64 = 25;

/// So many orders that are paid.
async fn sell(app: &Application, orders: u64) -> OnSale {
    let on_sale = offer_with(app, u32::try_from(orders).expect("few orders"), None, Places::Alike).await;
    let customers = (0..CUSTOMERS).map(async |customer| {
        let client = Client::new(app).sign_in(&format!("customer-{customer}@example.org")).await;
        for order in 0..orders / CUSTOMERS {
            let line = json!({ "section_id": on_sale.section, "tier_id": on_sale.tier, "quantity": 1 });
            let wanted = json!({ "event_id": on_sale.show, "lines": [line] });
            let held = client.post("/api/reservations", &format!("order-{order}"), wanted).await;
            let method = json!({ "type": "simulated", "outcome": "succeed" });
            let body = json!({ "reservation_id": held.text("/id"), "method": method });
            let paid = client.post("/api/payments", &format!("pay-{order}"), body).await;
            assert_eq!(paid.text("/status"), "succeeded", "{paid:?}");
        }
    });
    join_all(customers).await;
    on_sale
}

#[test]
fn simulation_of_a_cancelled_show_with_many_orders_gives_each_its_money_back_once_also_after_a_kill() {
    let orders = number("MANY_ORDERS").unwrap_or(ORDERS);
    let count = usize::try_from(orders).expect("few orders");
    Simulation::run(0, async |simulation| {
        let bank = Arc::new(SimulatedGateway::new(Ledger::in_memory(), simulation.clock()));
        let start = async |environment: Environment| {
            let parts = Parts {
                gateway: Arc::clone(&bank) as Arc<dyn PaymentGateway>,
                sessions: Sessions::new(Secret::new(b"a secret of this simulation, long enough"), None),
                hold: Duration::from_mins(5),
                payment: Duration::from_mins(10),
            };
            started(parts, environment, simulation).await
        };
        let refunded = || bank.ledger().entries().iter().filter(|entry| !entry.refunds.is_empty()).count();
        let cancelled = async |environment: Environment| {
            let app = start(environment).await;
            let on_sale = sell(&app, orders).await;
            let organiser = Client::new(&app).sign_in("organiser@example.org").await;
            assert_eq!(organiser.delete(&format!("/api/events/{}", on_sale.show)).await.status, 204);
            // Between the second page and the third.
            app.environment().clock.sleep(Duration::from_millis(1_500)).await;
        };
        assert_eq!(simulation.live(Life::CALM, cancelled).await, Ending::Finished(()));
        assert!(refunded() < count, "it was over before the kill");
        let ended = async |environment: Environment| {
            let app = start(environment).await;
            app.environment().clock.sleep(Duration::from_secs(60 + orders / 50)).await;
            let broken = broken(&app, bank.ledger()).await;
            app.shutdown().await.expect("an orderly end");
            told(&broken)
        };
        assert_eq!(simulation.live(Life::CALM, ended).await, Ending::Finished(String::new()));
        assert_eq!(refunded(), count);
        assert!(
            bank.ledger().entries().iter().all(|entry| entry.refunds.len() == 1 && Entry::kept(entry) == 0)
        );
    });
}
