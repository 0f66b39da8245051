//! The show: what organisers sell. The API and the pages call it an event.
//!
//! It says what is on offer, at which price and whether it is sold; how many places are left is the inventory's business.

mod actions;
mod change;
mod decider;
mod draft;
mod quote;
mod routes;
mod state;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::sample_listing;
pub mod views;

pub use actions::{Changed, ShowAction, ShowCommand, ShowEvent};
pub use change::{SectionChange, ShowChange, TierChange};
pub use decider::ShowRefused;
pub use draft::{MOST_SECTIONS, NewSection, NewShow, NewTier};
pub use quote::{Quote, Wanted};
pub use routes::{Search, event_to_manage, event_to_see, routes, shows_like};
pub use state::{Listing, SeatRow, Section, SectionKind, Show, ShowStatus, Tier, Venue};
