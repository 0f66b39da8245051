//! How an attempt to pay stands.

use crate::shared::{Money, RefundId, ReservationId, ShowId};
use composable_rust::prelude::*;
use jiff::Timestamp;
use schemars::JsonSchema;
use std::collections::BTreeSet;

/// An attempt to pay.
#[derive(Debug, Clone, Default, PartialEq, State)]
pub struct Payment {
    /// What is to be paid; there from the first event on.
    pub terms: Option<NewPayment>,
    /// When it was started.
    pub started_at: Timestamp,
    /// Where it stands.
    pub status: PaymentStatus,
    /// Why it was declined.
    pub decline_reason: Option<String>,
    /// What was given back in all.
    pub refunded: Option<Money>,
    /// By which refunds.
    pub refunds: BTreeSet<RefundId>,
}

/// Where an attempt to pay stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Label)]
pub enum PaymentStatus {
    /// Not started yet.
    #[default]
    Unstarted,
    /// The gateway has given no final answer yet.
    Processing,
    /// The payer has to do something before it is charged.
    RequiresAction,
    /// The money is here.
    Succeeded,
    /// No money came.
    Declined,
    /// Stopped before money came.
    Cancelled,
    /// All the money was given back.
    Refunded,
    /// Some of the money was given back.
    PartiallyRefunded,
}

impl PaymentStatus {
    /// Whether money came, whatever became of it since.
    pub const fn has_money(self) -> bool {
        matches!(self, Self::Succeeded | Self::Refunded | Self::PartiallyRefunded)
    }
}

/// What is to be paid: the amount comes from the reservation, never from the client.
#[derive(Debug, Clone, PartialEq, Data)]
pub struct NewPayment {
    /// What it pays.
    pub reservation: ReservationId,
    /// Of which show.
    pub show: ShowId,
    /// Who pays.
    pub customer: UserId,
    /// How much.
    pub amount: Money,
    /// How.
    pub method: Method,
    /// Until when the places are held for it.
    pub until: Timestamp,
}

/// How it is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Data, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Method {
    /// By the development gateway, which does as it is told.
    Simulated {
        /// What it is told.
        outcome: SimulatedOutcome,
    },
    /// Not at all: the order costs nothing.
    Free {},
}

/// What the development gateway is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Label)]
pub enum SimulatedOutcome {
    /// Charges.
    Succeed,
    /// Declines.
    Decline,
    /// Charges after 3 s.
    Slow,
    /// Charges, and the answer is lost on the way.
    LostAnswer,
    /// Asks the payer first.
    RequiresAction,
    /// Charges a second after the hold has ended, and is silent until then.
    LateSuccess,
}
