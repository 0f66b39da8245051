//! What may become of a payment. What the gateway answered is recorded once; hearing it again changes nothing.

use super::{NewPayment, Payment, PaymentAction, PaymentCommand, PaymentEvent, PaymentStatus};
use crate::shared::{Money, RefundId};
use composable_rust::prelude::*;

/// Why a payment refuses.
#[derive(Debug, Clone, PartialEq, Eq, Rejection)]
pub enum PaymentRefused {
    /// Not in this state.
    #[rejection(message = "the payment is {status}")]
    WrongState {
        /// Where it stands.
        status: PaymentStatus,
    },
    /// More than was paid, or in another currency.
    #[rejection(message = "there is not so much to refund")]
    NothingToRefund,
}

impl Decider for Payment {
    type Action = PaymentAction;
    type Rejection = PaymentRefused;

    fn decide(&self, command: PaymentCommand, context: &Context) -> Decision<Self> {
        use PaymentStatus::{
            Cancelled, Declined, PartiallyRefunded, Processing, Refunded, RequiresAction, Succeeded,
            Unstarted,
        };
        match (command, self.status) {
            (PaymentCommand::Start(terms), Unstarted) => {
                Ok(vec![PaymentEvent::Started { terms, at: context.now() }])
            }
            (PaymentCommand::RequireAction, Processing) => Ok(vec![PaymentEvent::ActionRequired]),
            (PaymentCommand::Succeed, Processing | RequiresAction) => Ok(vec![PaymentEvent::Succeeded]),
            (PaymentCommand::Decline { reason }, Processing | RequiresAction) => {
                Ok(vec![PaymentEvent::Declined { reason }])
            }
            (PaymentCommand::Cancel, Processing | RequiresAction) => Ok(vec![PaymentEvent::Cancelled]),
            (PaymentCommand::Refund { refund, amount }, Succeeded | PartiallyRefunded | Refunded) => {
                self.refund(refund, amount)
            }
            (PaymentCommand::RequireAction, RequiresAction)
            | (PaymentCommand::Succeed, Succeeded | PartiallyRefunded | Refunded)
            | (PaymentCommand::Decline { .. }, Declined)
            | (PaymentCommand::Cancel, Cancelled) => Ok(Vec::new()),
            (
                PaymentCommand::Start(NewPayment { .. })
                | PaymentCommand::RequireAction
                | PaymentCommand::Succeed
                | PaymentCommand::Decline { .. }
                | PaymentCommand::Cancel
                | PaymentCommand::Refund { .. },
                status,
            ) => Err(PaymentRefused::WrongState { status }),
        }
    }

    fn evolve(&mut self, event: &PaymentEvent) {
        match event {
            PaymentEvent::Started { terms, at } => {
                self.terms = Some(terms.clone());
                self.started_at = *at;
                self.status = PaymentStatus::Processing;
            }
            PaymentEvent::ActionRequired => self.status = PaymentStatus::RequiresAction,
            PaymentEvent::Succeeded => self.status = PaymentStatus::Succeeded,
            PaymentEvent::Declined { reason } => {
                self.status = PaymentStatus::Declined;
                self.decline_reason = Some(reason.clone());
            }
            PaymentEvent::Cancelled => self.status = PaymentStatus::Cancelled,
            PaymentEvent::Refunded { refund, amount } => {
                self.refunds.insert(*refund);
                self.refunded = self.refunded_with(*amount);
                let is_all = self.refunded == self.terms.as_ref().map(|terms| terms.amount);
                self.status = if is_all { PaymentStatus::Refunded } else { PaymentStatus::PartiallyRefunded };
            }
        }
    }
}

impl Payment {
    /// Never more than was paid, and each refund once.
    fn refund(&self, refund: RefundId, amount: Money) -> Decision<Self> {
        let paid = self.terms.as_ref().map(|terms| terms.amount);
        let left = paid.zip(self.refunded_with(amount)).and_then(|(paid, refunded)| paid.minus(refunded));
        match left {
            _ if self.refunds.contains(&refund) => Ok(Vec::new()),
            Some(left) if left.amount >= 0 => Ok(vec![PaymentEvent::Refunded { refund, amount }]),
            Some(_) | None => Err(PaymentRefused::NothingToRefund),
        }
    }

    /// What is given back in all with so much more.
    fn refunded_with(&self, amount: Money) -> Option<Money> {
        self.refunded.map_or(Some(amount), |refunded| refunded.plus(amount))
    }
}
