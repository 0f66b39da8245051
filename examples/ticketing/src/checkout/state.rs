//! What a checkout remembers of its order.

use crate::payment::Method;
use crate::shared::{Money, PaymentId, Places, QuotaId, SectionId};
use composable_rust::prelude::*;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The checkout of one order.
#[derive(Debug, Clone, Default, PartialEq, State)]
pub struct Checkout {
    /// The order; there from the first input on.
    pub order: Option<Order>,
    /// Until when its places are held at least.
    pub held_until: Timestamp,
    /// Where it stands.
    pub stage: Stage,
    /// The payment whose outcome is not settled yet.
    pub attempt: Option<Attempt>,
}

/// What must be given back when the order ends.
#[derive(Debug, Clone, PartialEq, Data)]
pub struct Order {
    /// Where its places count.
    pub quota: QuotaId,
    /// Its places in each section.
    pub holds: BTreeMap<SectionId, Places>,
}

/// A payment under way.
#[derive(Debug, Clone, PartialEq, Data)]
pub struct Attempt {
    /// Which.
    pub payment: PaymentId,
    /// How much.
    pub amount: Money,
    /// How.
    pub method: Method,
    /// Until when its places are held for it.
    pub until: Timestamp,
    /// When it was started.
    #[serde(default)]
    pub since: Timestamp,
}

/// Where a checkout stands.
#[derive(Debug, Clone, Default, PartialEq, Data)]
pub enum Stage {
    /// The places are held and nobody pays.
    #[default]
    Holding,
    /// A payment is under way.
    Paying,
    /// The hold is over and the payment is being stopped.
    Stopping,
    /// The gateway is silent: the order is being told that its time is over.
    Expiring {
        /// Whether money has come since.
        is_paid: bool,
    },
    /// The money is here; order and places are being told.
    Settling,
    /// The hold is over and the places are free.
    Expired,
    /// The money came late: the places are being taken again.
    Retaking {
        /// Sections that have not answered.
        open: u32,
        /// Sections that gave their places.
        taken: Vec<SectionId>,
    },
    /// The money came late and the places are gone: it is being given back.
    Refunding,
    /// Paid.
    Completed,
    /// Given up by the customer.
    Cancelled,
}
