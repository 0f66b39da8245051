//! What can be asked about orders and tickets as a whole.

mod reservations;
mod tickets;

pub use reservations::{ListedReservation, ReservationList};
pub use tickets::{ListedTicket, TicketList, TicketStatus};
