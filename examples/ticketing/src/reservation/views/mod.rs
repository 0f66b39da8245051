//! What can be asked about orders and tickets as a whole.

mod reservations;
mod sales;
mod tickets;

pub use reservations::{ListedReservation, ReservationList};
pub use sales::{SalesList, SoldTier};
pub use tickets::{ListedTicket, TicketList, TicketStatus};
