//! **Money taken twice**: the gateway is called without the payment's id as idempotency key.
//!
//! Planted in the gateway: a charge that is asked for again, because its answer was lost or late or the program crashed,
//! moves the money again. *Money moves once, and as much as was asked for* finds it in the gateway's books.

use super::ports::{Passes, Passing};
use super::{Bug, is_found};
use crate::invariants::Promise;
use composable_rust::prelude::async_trait;
use std::sync::Arc;
use ticketing::payment::gateway::{
    ChargeAnswer, Entry, Fate, NoAnswer, Order, PaymentGateway, SimulatedGateway,
};
use ticketing::shared::PaymentId;

#[derive(Debug)]
struct WithoutKeys(Arc<SimulatedGateway>);

#[async_trait]
impl Passes for WithoutKeys {
    fn right(&self) -> &SimulatedGateway {
        &self.0
    }

    async fn charge(&self, payment: PaymentId, order: Order) -> Result<ChargeAnswer, NoAnswer> {
        let again = |known: Option<&Entry>| {
            let charged = known.filter(|entry| matches!(entry.fate, Fate::Charged { .. }));
            let taken = charged.and_then(|entry| entry.amount?.plus(order.amount));
            (charged.map(|entry| Entry { amount: taken, ..entry.clone() }), ())
        };
        self.0.ledger().change(payment, again).expect("books in memory");
        self.0.charge(payment, order).await
    }
}

#[test]
fn simulation_finds_money_taken_twice() {
    let gateway = |right| Arc::new(Passing(WithoutKeys(right))) as Arc<dyn PaymentGateway>;
    is_found(&Bug { gateway, ..Bug::NONE }, Promise::MoneyMovesOnce);
}
