//! All orders, by customer.

use crate::reservation::{Reservation, ReservationEvent, ReservationStatus};
use crate::shared::{ReservationId, ShowId};
use composable_rust::prelude::*;
use jiff::Timestamp;

/// All orders.
#[derive(Debug)]
pub struct ReservationList;

/// An order in the list.
#[derive(Debug, Clone, PartialEq, Row)]
#[row(key = "id", index = "customer, show, status, placed_at")]
pub struct ListedReservation {
    /// Its id.
    pub id: ReservationId,
    /// Whose.
    pub customer: UserId,
    /// Of which show.
    pub show: ShowId,
    /// Where it stands.
    pub status: ReservationStatus,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// The order itself.
    pub reservation: Reservation,
}

impl Projection for ReservationList {
    type Event = ReservationEvent;
    type Row = ListedReservation;
    const NAME: &'static str = "reservations";
    const VERSION: u32 = 2;

    fn project(&self, event: &Recorded<ReservationEvent>, rows: &mut Rows<ListedReservation>) {
        let id = *event.key();
        match &event.body {
            ReservationEvent::Placed { order, at } => rows.put(ListedReservation {
                id,
                customer: order.customer,
                show: order.show,
                status: ReservationStatus::Held,
                placed_at: *at,
                reservation: fold([&event.body]),
            }),
            ReservationEvent::Extended { .. }
            | ReservationEvent::PaymentStarted { .. }
            | ReservationEvent::PaymentFailed { .. }
            | ReservationEvent::Completed { .. }
            | ReservationEvent::Cancelled
            | ReservationEvent::Expired
            | ReservationEvent::CalledOff { .. }
            | ReservationEvent::RefundStarted(_)
            | ReservationEvent::Refunded { .. } => rows.update(id, |row| {
                row.reservation.evolve(&event.body);
                row.status = row.reservation.status;
            }),
        }
    }
}
