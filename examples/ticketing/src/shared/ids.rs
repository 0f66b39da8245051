//! What names each aggregate; two kinds cannot be confused.

use composable_rust::prelude::*;
use uuid::Uuid;

/// A show: what organisers sell. The API calls it an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Id)]
pub struct ShowId(Uuid);

/// A section of a show's venue, with an inventory of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Id)]
pub struct SectionId(Uuid);

/// A price within a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Id)]
pub struct TierId(Uuid);

/// An order, from the hold to the tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Id)]
pub struct ReservationId(Uuid);

/// One attempt to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Id)]
pub struct PaymentId(Uuid);

/// A ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Id)]
pub struct TicketId(Uuid);

/// What one customer has of one show.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Id)]
pub struct QuotaId(String);

impl QuotaId {
    /// Of this show, this customer.
    pub fn of(show: ShowId, customer: UserId) -> Self {
        Self(format!("{show}:{customer}"))
    }
}
