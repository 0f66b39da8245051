//! **Refund sent twice**: the gateway is told to give money back without the refund's id as idempotency key.
//!
//! Planted in the gateway: a refund that is asked for again, because its answer was lost or late or the program crashed,
//! moves the money again. *Money moves once, and as much as was asked for* finds more given back than anybody was told.

use super::ports::{Passes, Passing};
use super::{Bug, is_found};
use crate::invariants::Promise;
use composable_rust::derived_uuid;
use composable_rust::prelude::async_trait;
use std::sync::Arc;
use ticketing::payment::gateway::{Entry, NoAnswer, PaymentGateway, SimulatedGateway};
use ticketing::shared::{Money, PaymentId, RefundId};

#[derive(Debug)]
struct WithoutKeys(Arc<SimulatedGateway>);

#[async_trait]
impl Passes for WithoutKeys {
    fn right(&self) -> &SimulatedGateway {
        &self.0
    }

    async fn refund(&self, payment: PaymentId, refund: RefundId, amount: Money) -> Result<(), NoAnswer> {
        let again = |known: Option<&Entry>| {
            let told = known.filter(|entry| entry.refunds.contains_key(&refund)).cloned();
            let twice = told.map(|mut entry| {
                let number = entry.refunds.len().to_string();
                let new = RefundId::from(derived_uuid(&[&refund.to_string(), &number]));
                entry.refunds.insert(new, amount);
                entry
            });
            (twice, ())
        };
        self.0.ledger().change(payment, again).expect("books in memory");
        self.0.refund(payment, refund, amount).await
    }
}

#[test]
fn simulation_finds_a_refund_sent_twice() {
    let gateway = |right| Arc::new(Passing(WithoutKeys(right))) as Arc<dyn PaymentGateway>;
    is_found(&Bug { gateway, ..Bug::NONE }, Promise::MoneyMovesOnce);
}
