//! Ticketing.

pub mod checkout;
pub mod inventory;
pub mod payment;
pub mod quota;
pub mod reservation;
pub mod shared;
pub mod show;
