//! What may become of a payment. What the gateway answered is recorded once; hearing it again changes nothing.

use super::{NewPayment, Payment, PaymentAction, PaymentCommand, PaymentEvent, PaymentStatus};
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
        use PaymentStatus::{Cancelled, Declined, Processing, Refunded, Succeeded, Unstarted};
        match (command, self.status) {
            (PaymentCommand::Start(terms), Unstarted) => {
                Ok(vec![PaymentEvent::Started { terms, at: context.now() }])
            }
            (PaymentCommand::Succeed, Processing) => Ok(vec![PaymentEvent::Succeeded]),
            (PaymentCommand::Decline { reason }, Processing) => Ok(vec![PaymentEvent::Declined { reason }]),
            (PaymentCommand::Cancel, Processing) => Ok(vec![PaymentEvent::Cancelled]),
            (PaymentCommand::Refund { amount }, Succeeded) => match self.terms.as_ref() {
                Some(terms) if terms.amount == amount => Ok(vec![PaymentEvent::Refunded { amount }]),
                Some(_) | None => Err(PaymentRefused::NothingToRefund),
            },
            (PaymentCommand::Succeed, Succeeded | Refunded)
            | (PaymentCommand::Decline { .. }, Declined)
            | (PaymentCommand::Cancel, Cancelled)
            | (PaymentCommand::Refund { .. }, Refunded) => Ok(Vec::new()),
            (
                PaymentCommand::Start(NewPayment { .. })
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
            PaymentEvent::Succeeded => self.status = PaymentStatus::Succeeded,
            PaymentEvent::Declined { reason } => {
                self.status = PaymentStatus::Declined;
                self.decline_reason = Some(reason.clone());
            }
            PaymentEvent::Cancelled => self.status = PaymentStatus::Cancelled,
            PaymentEvent::Refunded { amount } => {
                self.status = PaymentStatus::Refunded;
                self.refunded = Some(*amount);
            }
        }
    }
}
