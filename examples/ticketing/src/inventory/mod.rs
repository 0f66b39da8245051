//! The inventory of one section: which of its places are free, held, sold or blocked. Never oversold.
//!
//! It knows who holds what, not until when: a hold ends when the reservation does, and the checkout then releases it.

mod actions;
mod counts;
mod decider;
mod routes;
mod seats;
mod state;
#[cfg(test)]
mod tests;
pub mod views;

pub use actions::{InventoryAction, InventoryCommand, InventoryEvent};
pub use counts::Counts;
pub use decider::InventoryRefused;
pub use routes::{LiveAvailability, routes};
pub use seats::{SeatState, Seats};
pub use state::Inventory;
