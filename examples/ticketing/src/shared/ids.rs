//! What names each aggregate; two kinds cannot be confused.

use composable_rust::prelude::*;
use uuid::Uuid;

/// A show: what organisers sell. The API calls it an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Id)]
pub struct ShowId(Uuid);

/// A section of a show's venue, with an inventory of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Id)]
pub struct SectionId(Uuid);

/// A numbered seat: its section's id, with the seat's place in the section where the section has random bits. So nobody
/// keeps a table of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Id)]
pub struct SeatId(Uuid);

/// The bits of a seat's id that tell its place.
const SEAT_BITS: u128 = 0xff_ffff;

impl SeatId {
    /// The seat at this place, counted from 0, of this section.
    pub fn of(section: SectionId, place: u32) -> Self {
        let section = section.as_uuid().as_u128() & !SEAT_BITS;
        Self(Uuid::from_u128(section | (u128::from(place) & SEAT_BITS)))
    }

    /// Its place in this section; `None` when it is a seat of another.
    pub fn place_in(self, section: SectionId) -> Option<u32> {
        let place = u32::try_from(self.as_uuid().as_u128() & SEAT_BITS).ok()?;
        (Self::of(section, place) == self).then_some(place)
    }
}

/// A price within a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Id)]
pub struct TierId(Uuid);

/// An order, from the hold to the tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Id)]
pub struct ReservationId(Uuid);

/// One attempt to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Id)]
pub struct PaymentId(Uuid);

/// Money that is given back: of a payment all, or what some of its tickets cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Id)]
pub struct RefundId(Uuid);

impl RefundId {
    /// Of a payment that bought nothing: however often it is asked for, it is the same.
    pub fn of_all(payment: PaymentId) -> Self {
        Self(payment.as_uuid())
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_is_known_by_its_section_and_place() {
        let section = SectionId::from(Uuid::from_u128(0x0190_0000_0000_7000_8000_0012_3456_789a));
        let other = SectionId::from(Uuid::from_u128(0x0190_0000_0000_7000_8000_0112_3456_789a));
        let seat = SeatId::of(section, 99_999);
        assert_eq!((seat.place_in(section), seat.place_in(other)), (Some(99_999), None));
        assert_eq!(seat.as_uuid().get_version_num(), 7);
        assert_ne!(seat, SeatId::of(section, 0));
    }
}
