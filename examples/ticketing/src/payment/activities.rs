//! The calls to the gateway, as the checkout makes them: tried again until there is an answer.
//!
//! The gateway knows an attempt by the payment's id, so that a request and the checkout may both ask about it and the
//! money moves once.

use super::Method;
use super::gateway::{ChargeAnswer, Order, PaymentGateway, StopAnswer};
use crate::shared::{Money, PaymentId, RefundId};
use composable_rust::prelude::*;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// Charges, or asks what became of it.
#[derive(Debug, Clone, PartialEq, Call)]
#[call(answer = ChargeAnswer)]
pub struct Charge {
    /// Which attempt.
    pub payment: PaymentId,
    /// How much.
    pub amount: Money,
    /// How.
    pub method: Method,
    /// Until when its places are held for it.
    pub until: Timestamp,
}

/// Stops an attempt, unless the money has moved.
#[derive(Debug, Clone, PartialEq, Call)]
#[call(answer = StopAnswer)]
pub struct StopCharge {
    /// Which attempt.
    pub payment: PaymentId,
}

/// Gives money of an attempt back.
#[derive(Debug, Clone, PartialEq, Call)]
#[call(answer = RefundOutcome)]
pub struct Refund {
    /// Which attempt.
    pub payment: PaymentId,
    /// Which refund of it.
    pub refund: RefundId,
    /// How much.
    pub amount: Money,
}

/// What came of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Label)]
pub enum RefundOutcome {
    /// The money is back.
    Refunded,
    /// There was no answer; asking again cannot give it back twice.
    Unanswered,
}

/// Performs [`Charge`].
#[derive(Debug)]
pub struct ChargeCard(pub Arc<dyn PaymentGateway>);

/// Performs [`StopCharge`].
#[derive(Debug)]
pub struct StopCharging(pub Arc<dyn PaymentGateway>);

/// Performs [`Refund`].
#[derive(Debug)]
pub struct RefundCard(pub Arc<dyn PaymentGateway>);

#[async_trait]
impl Activity for ChargeCard {
    type Call = Charge;

    async fn perform(&self, call: Charge, _: ActivityContext) -> Result<ChargeAnswer, ActivityError> {
        let Charge { payment, amount, method, until } = call;
        match self.0.charge(payment, Order { amount, method, until }).await {
            Ok(ChargeAnswer::Unanswered) => {
                Err(ActivityError::Transient("the gateway is still working".into()))
            }
            Ok(answer) => Ok(answer),
            Err(error) => Err(ActivityError::Transient(error.into())),
        }
    }

    fn give_up(&self, _: &Charge, _: &ActivityError) -> ChargeAnswer {
        ChargeAnswer::Unanswered
    }

    /// A few seconds where it refuses, a minute where it is silent: then the checkout looks if it is still time to charge.
    fn policy(&self) -> ActivityPolicy {
        ActivityPolicy { max_attempts: 6, longest_pause: Duration::from_secs(5), ..ActivityPolicy::default() }
    }
}

#[async_trait]
impl Activity for StopCharging {
    type Call = StopCharge;

    async fn perform(&self, call: StopCharge, _: ActivityContext) -> Result<StopAnswer, ActivityError> {
        self.0.stop(call.payment).await.map_err(|error| ActivityError::Transient(error.into()))
    }

    fn give_up(&self, _: &StopCharge, _: &ActivityError) -> StopAnswer {
        StopAnswer::Unanswered
    }

    /// Less than 5 s in all: others wait for the places.
    fn policy(&self) -> ActivityPolicy {
        ActivityPolicy {
            timeout: Duration::from_millis(1_200),
            max_attempts: 3,
            first_pause: Duration::from_millis(200),
            longest_pause: Duration::from_millis(400),
        }
    }
}

#[async_trait]
impl Activity for RefundCard {
    type Call = Refund;

    async fn perform(&self, call: Refund, _: ActivityContext) -> Result<RefundOutcome, ActivityError> {
        let refunded = self.0.refund(call.payment, call.refund, call.amount).await;
        refunded.map(|()| RefundOutcome::Refunded).map_err(|error| ActivityError::Transient(error.into()))
    }

    fn give_up(&self, _: &Refund, _: &ActivityError) -> RefundOutcome {
        RefundOutcome::Unanswered
    }
}
