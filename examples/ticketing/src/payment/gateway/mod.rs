//! What the application needs of whoever moves money, and the development gateway that stands in for it.

mod breaking;
mod disk;
mod ledger;
mod simulated;

pub use breaking::Breaking;
pub use ledger::{Entry, Fate, Ledger};
pub use simulated::SimulatedGateway;

use super::Method;
use crate::shared::{Money, PaymentId, RefundId};
use composable_rust::prelude::*;
use composable_rust::runtime::resilience::CircuitBreaker;
use jiff::Timestamp;
use std::fmt::Debug;

/// What is to be charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// How much.
    pub amount: Money,
    /// How.
    pub method: Method,
    /// Until when its places are held for it.
    pub until: Timestamp,
}

/// What the gateway says of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Data)]
#[serde(rename_all = "snake_case")]
pub enum ChargeAnswer {
    /// The money is here.
    Succeeded,
    /// No money will come.
    Declined {
        /// Why.
        reason: String,
    },
    /// It was stopped before money came.
    Stopped,
    /// The payer has to do something before it is charged.
    RequiresAction,
    /// Nothing final yet; ask again.
    Unanswered,
}

/// What came of stopping an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Label)]
pub enum StopAnswer {
    /// No money came, and none will.
    Stopped,
    /// Too late: the money is here.
    AlreadyCharged,
    /// Nothing is known.
    Unanswered,
}

/// What the gateway's books say of an attempt that was charged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booked {
    /// Which attempt.
    pub payment: PaymentId,
    /// How much was charged.
    pub charged: Money,
    /// How much of it was given back; nothing where none was.
    pub refunded: Option<Money>,
}

/// No answer came; whether anything was done is unknown. Ask again with the same payment.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NoAnswer {
    /// The gateway is out of reach for everybody: no connection, no answer in time, out of service. Enough of these in
    /// a row, and it is left in peace for a while.
    #[error("the payment gateway is out of reach: {0}")]
    Unreachable(String),
    /// The gateway works, and what it says of this payment is lost or not known yet. Says nothing about other people's
    /// payments, however often it happens.
    #[error("the payment gateway gave no answer about this payment: {0}")]
    Unclear(String),
}

/// Moves money. An attempt is known by the payment's id: whatever is asked twice is done once.
#[async_trait]
pub trait PaymentGateway: Debug + Send + Sync + 'static {
    /// Charges, or says what became of it.
    ///
    /// # Errors
    /// [`NoAnswer`]; it may have been charged.
    ///
    /// # Cancel safety
    /// Dropping the future leaves it unknown whether it was charged; ask again.
    async fn charge(&self, payment: PaymentId, order: Order) -> Result<ChargeAnswer, NoAnswer>;

    /// Says what the payer has decided where the gateway has asked; where it has not, what became of the attempt.
    ///
    /// # Errors
    /// [`NoAnswer`]; it may have heard it.
    ///
    /// # Cancel safety
    /// As [`Self::charge`].
    async fn act(&self, payment: PaymentId, approves: bool) -> Result<ChargeAnswer, NoAnswer>;

    /// Stops an attempt, also one that the gateway has not heard of yet: it will then never charge it.
    ///
    /// # Errors
    /// [`NoAnswer`]; it may have been stopped.
    ///
    /// # Cancel safety
    /// As [`Self::charge`].
    async fn stop(&self, payment: PaymentId) -> Result<StopAnswer, NoAnswer>;

    /// Gives back what was charged, or a part of it. A refund is known by its id: what is asked twice is done once.
    ///
    /// # Errors
    /// [`NoAnswer`]; it may have been given back. A gateway that would have to give back more than it charged does
    /// nothing and says so here: somebody has to look into it.
    ///
    /// # Cancel safety
    /// As [`Self::charge`].
    async fn refund(&self, payment: PaymentId, refund: RefundId, amount: Money) -> Result<(), NoAnswer>;

    /// What is in the books of attempts that were charged, in the order of their ids: those from this one on, at most
    /// so many.
    ///
    /// # Errors
    /// [`NoAnswer`].
    ///
    /// # Cancel safety
    /// It only reads.
    async fn booked(&self, from: PaymentId, most: usize) -> Result<Vec<Booked>, NoAnswer>;

    /// The circuit before it, where there is one: people are told when it is open.
    fn circuit(&self) -> Option<&CircuitBreaker> {
        None
    }
}
