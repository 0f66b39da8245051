//! A gateway that fails is left in peace for a while, and whoever asks meanwhile hears so at once.

use super::{Booked, ChargeAnswer, NoAnswer, Order, PaymentGateway, StopAnswer};
use crate::shared::{Money, PaymentId, RefundId};
use composable_rust::Clock;
use composable_rust::prelude::*;
use composable_rust::runtime::resilience::{CircuitBreaker, CircuitOptions, Policy, PolicyError};
use std::sync::Arc;

/// Another gateway behind a circuit: after five calls in a row that did not reach it nobody calls it for half a minute,
/// then one call tries whether it is well again. What is unclear about one payment counts as reached: nobody may stop
/// the payments of others with his own.
#[derive(Debug)]
pub struct Breaking {
    gateway: Arc<dyn PaymentGateway>,
    circuit: CircuitBreaker,
}

impl Breaking {
    /// A closed circuit before `gateway`.
    pub fn new(gateway: Arc<dyn PaymentGateway>, clock: Arc<dyn Clock>) -> Self {
        Self { gateway, circuit: CircuitBreaker::new("payment gateway", CircuitOptions::default(), clock) }
    }

    async fn call<T: Send>(
        &self,
        asked: impl Future<Output = Result<T, NoAnswer>> + Send,
    ) -> Result<T, NoAnswer> {
        let reached = async {
            match asked.await {
                Ok(answer) => Ok(Ok(answer)),
                Err(unclear @ NoAnswer::Unclear(_)) => Ok(Err(unclear)),
                Err(error @ NoAnswer::Unreachable(_)) => Err(error),
            }
        };
        self.circuit.call(reached).await?
    }
}

impl From<PolicyError> for NoAnswer {
    fn from(error: PolicyError) -> Self {
        Self::Unreachable(error.to_string())
    }
}

#[async_trait]
impl PaymentGateway for Breaking {
    async fn charge(&self, payment: PaymentId, order: Order) -> Result<ChargeAnswer, NoAnswer> {
        self.call(self.gateway.charge(payment, order)).await
    }

    async fn act(&self, payment: PaymentId, approves: bool) -> Result<ChargeAnswer, NoAnswer> {
        self.call(self.gateway.act(payment, approves)).await
    }

    async fn stop(&self, payment: PaymentId) -> Result<StopAnswer, NoAnswer> {
        self.call(self.gateway.stop(payment)).await
    }

    async fn refund(&self, payment: PaymentId, refund: RefundId, amount: Money) -> Result<(), NoAnswer> {
        self.call(self.gateway.refund(payment, refund, amount)).await
    }

    async fn booked(&self, from: PaymentId, most: usize) -> Result<Vec<Booked>, NoAnswer> {
        self.call(self.gateway.booked(from, most)).await
    }

    fn circuit(&self) -> Option<&CircuitBreaker> {
        Some(&self.circuit)
    }
}
