//! The language of a payment.
#![expect(missing_docs, reason = "the fields of commands and events are what they are called")]

use super::{NewPayment, Payment};
use crate::shared::{Money, PaymentId, RefundId};
use composable_rust::prelude::*;
use jiff::Timestamp;

/// What can be asked of a payment, and what can happen to it.
#[derive(Debug, Clone, PartialEq, Action)]
#[action(category = "payment", key = PaymentId, decider = Payment)]
pub enum PaymentAction {
    /// Begins an attempt.
    #[command]
    Start(NewPayment),
    /// Records that the gateway asks the payer to do something.
    #[command]
    RequireAction,
    /// Records that the gateway has charged.
    #[command]
    Succeed,
    /// Records that the gateway has declined.
    #[command]
    Decline { reason: String },
    /// Records that the gateway has stopped the attempt.
    #[command]
    Cancel,
    /// Records that the gateway has given money back, all or a part.
    #[command]
    Refund { refund: RefundId, amount: Money },

    /// An attempt is under way.
    #[event]
    Started { terms: NewPayment, at: Timestamp },
    /// The payer has to do something first.
    #[event]
    ActionRequired,
    /// The money is here.
    #[event]
    Succeeded,
    /// No money came.
    #[event]
    Declined { reason: String },
    /// Stopped before money came.
    #[event]
    Cancelled,
    /// Money was given back.
    #[event]
    Refunded { refund: RefundId, amount: Money },
}
