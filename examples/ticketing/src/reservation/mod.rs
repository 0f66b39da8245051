//! The reservation: one customer's order, from the hold to the tickets.
//!
//! It decides what may happen to an order and until when. The places are the inventory's, the money is the payment's;
//! the checkout keeps the three together.

mod actions;
mod body;
mod decider;
mod live;
mod qr;
mod routes;
mod state;
#[cfg(test)]
mod tests;
pub mod views;

pub use actions::{ReservationAction, ReservationCommand, ReservationEvent};
pub use decider::ReservationRefused;
pub use live::OwnReservations;
pub use qr::qr_svg;
pub use routes::{NewReservation, Placed, extend_hold, hold_places, reservation_of, routes};
pub use state::{Order, Reservation, ReservationStatus, TicketRefund};
