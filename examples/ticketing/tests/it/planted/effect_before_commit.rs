//! **Effect before commit**: the card is charged while the event that starts the payment is still on its way to the log.
//!
//! Planted before the append: a payment's first event charges its card, then it is appended. A crash or a failure of the
//! storage between the two leaves money that no payment knows of. When its hold has ended before the customer comes
//! back, nothing is ever sold for it: *no paid reservation without tickets or refund* finds that.

use super::ports::{Appending, OnAppend};
use super::{Bug, is_found};
use crate::invariants::Promise;
use composable_rust::port::{Append, Storage};
use composable_rust::prelude::async_trait;
use serde::Deserialize;
use std::sync::Arc;
use ticketing::payment::NewPayment;
use ticketing::payment::gateway::{Order, PaymentGateway, SimulatedGateway};

#[derive(Debug)]
struct ChargesFirst(Arc<SimulatedGateway>);

#[derive(Deserialize)]
struct Started {
    terms: NewPayment,
}

#[async_trait]
impl OnAppend for ChargesFirst {
    async fn on_append(&self, append: &mut Append) {
        for part in append.streams.iter().filter(|part| part.stream.category() == "payment") {
            for event in &part.events {
                let Ok(Started { terms }) = serde_json::from_slice(&event.payload) else { continue };
                let payment = part.stream.key().parse().expect("a payment id");
                let order = Order { amount: terms.amount, method: terms.method, until: terms.until };
                // Whatever comes of it, the request asks again.
                drop(self.0.charge(payment, order).await);
            }
        }
    }
}

fn charge_first(right: Storage, gateway: Arc<SimulatedGateway>) -> Storage {
    let events = Appending { right: Arc::clone(&right.events), hook: ChargesFirst(gateway) };
    Storage { events: Arc::new(events), ..right }
}

#[test]
fn simulation_finds_an_effect_before_its_commit() {
    is_found(&Bug { storage: charge_first, from: 90, ..Bug::NONE }, Promise::PaidMeansTicketsOrRefund);
}
