//! **Refund of a part**: the money of one ticket is given back for all that are named.
//!
//! Planted in the gateway: it keeps half of each refund to itself and says that all is done. The order's tickets are void
//! and its payment tells of the whole sum: *money moves once, and as much as was asked for* compares it with the books.

use super::ports::{Passes, Passing};
use super::{Bug, is_found};
use crate::invariants::Promise;
use composable_rust::prelude::async_trait;
use std::sync::Arc;
use ticketing::payment::gateway::{NoAnswer, PaymentGateway, SimulatedGateway};
use ticketing::shared::{Money, PaymentId, RefundId};

#[derive(Debug)]
struct KeepsHalf(Arc<SimulatedGateway>);

#[async_trait]
impl Passes for KeepsHalf {
    fn right(&self) -> &SimulatedGateway {
        &self.0
    }

    async fn refund(&self, payment: PaymentId, refund: RefundId, amount: Money) -> Result<(), NoAnswer> {
        self.0.refund(payment, refund, Money { amount: amount.amount / 2, ..amount }).await
    }
}

#[test]
fn simulation_finds_a_refund_of_a_part() {
    let gateway = |right| Arc::new(Passing(KeepsHalf(right))) as Arc<dyn PaymentGateway>;
    is_found(&Bug { gateway, ..Bug::NONE }, Promise::MoneyMovesOnce);
}
