//! **Money taken twice**: the gateway is called without the payment's id as idempotency key.
//!
//! Planted in the gateway: a charge that is asked for again, because its answer was lost or late or the program crashed,
//! moves the money again. *Money moves once, and as much as was asked for* finds it in the gateway's books.

use super::{Bug, is_found};
use crate::invariants::Promise;
use composable_rust::prelude::async_trait;
use std::sync::Arc;
use ticketing::payment::gateway::{
    ChargeAnswer, Entry, Fate, NoAnswer, Order, PaymentGateway, SimulatedGateway, StopAnswer,
};
use ticketing::shared::{Money, PaymentId, RefundId};

#[derive(Debug)]
struct WithoutKeys(Arc<SimulatedGateway>);

#[async_trait]
impl PaymentGateway for WithoutKeys {
    async fn charge(&self, payment: PaymentId, order: Order) -> Result<ChargeAnswer, NoAnswer> {
        let again = |known: Option<&Entry>| {
            let charged = known.filter(|entry| matches!(entry.fate, Fate::Charged { .. }));
            let taken = charged.and_then(|entry| entry.amount?.plus(order.amount));
            (charged.map(|entry| Entry { amount: taken, ..entry.clone() }), ())
        };
        self.0.ledger().change(payment, again).expect("books in memory");
        self.0.charge(payment, order).await
    }

    async fn stop(&self, payment: PaymentId) -> Result<StopAnswer, NoAnswer> {
        self.0.stop(payment).await
    }

    async fn act(&self, payment: PaymentId, approves: bool) -> Result<ChargeAnswer, NoAnswer> {
        self.0.act(payment, approves).await
    }

    async fn refund(&self, payment: PaymentId, refund: RefundId, amount: Money) -> Result<(), NoAnswer> {
        self.0.refund(payment, refund, amount).await
    }
}

#[test]
fn simulation_finds_money_taken_twice() {
    is_found(&Bug { gateway: |right| Arc::new(WithoutKeys(right)), ..Bug::NONE }, Promise::MoneyMovesOnce);
}
