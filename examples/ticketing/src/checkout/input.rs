//! What a checkout hears.

use crate::inventory::{Inventory, InventoryEvent};
use crate::payment::{Charge, Payment, PaymentEvent, Refund, StopCharge};
use crate::quota::Quota;
use crate::reservation::{Reservation, ReservationEvent};
use crate::shared::{PaymentId, ReservationId, SectionId};
use composable_rust::prelude::*;

/// What a checkout hears.
#[derive(Debug, Clone, PartialEq, Input)]
pub enum CheckoutInput {
    /// Something happened to an order.
    Reservation(ReservationId, ReservationEvent),
    /// Something happened to a payment.
    Payment(PaymentId, PaymentEvent),
    /// Something happened to a section's places.
    Inventory(SectionId, InventoryEvent),

    /// An order refused.
    #[rejected]
    OrderRefused(Rejected<Reservation>),
    /// A payment refused.
    #[rejected]
    PaymentRefused(Rejected<Payment>),
    /// A section refused.
    #[rejected]
    PlacesRefused(Rejected<Inventory>),
    /// A customer's limit refused.
    #[rejected]
    QuotaRefused(Rejected<Quota>),

    /// The gateway said what became of a charge.
    #[outcome]
    Charged(Outcome<Charge>),
    /// The gateway said whether it could stop one.
    #[outcome]
    Stopped(Outcome<StopCharge>),
    /// The gateway said whether it gave money back.
    #[outcome]
    Refunded(Outcome<Refund>),

    /// The hold is over.
    #[timer]
    HoldEnds,
    /// It is time to ask about a payment that nobody has settled.
    #[timer]
    Reconcile,
    /// It is time to ask for a refund again.
    #[timer]
    RefundAgain,
}
