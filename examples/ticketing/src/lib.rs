//! The ticketing application: sells tickets without ever overselling, and shows how an application is written.
//!
//! # A guided tour
//!
//! Each folder is a slice, to be read alone, with the same parts: `state.rs` (what is), `actions.rs` (what can be asked
//! and what can happen), `decider.rs` (what is allowed), `views/` (what can be looked up), `routes.rs` (HTTP) and
//! `tests.rs` (what it does, as sentences). Read them in this order:
//!
//! 1. [`show`]: what organisers sell. The simplest aggregate, and the rules for what may be offered.
//! 2. [`inventory`]: the places of one section. Never oversold, because one stream decides over them.
//! 3. [`quota`]: how many places one customer has, appended atomically with the hold.
//! 4. [`reservation`]: one order, from the hold to the tickets. Its POST is one append over all of the above.
//! 5. [`payment`]: one attempt to pay, and the gateway that moves the money.
//! 6. [`checkout`]: the process that ends holds, asks about payments that nobody settled, and puts right what came late.
//! 7. [`account`]: who somebody is.
//! 8. [`storefront`]: the pages for buyers, over the same functions as the API.
//!
//! [`app`] assembles it on one screen, [`config`] is what the operator decides, [`shared`] holds ids and money.
//!
//! Nothing here adds or takes away without saying what happens at the limits of numbers: it is about money and places.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

pub mod shared;

pub mod account;
pub mod checkout;
pub mod inventory;
pub mod payment;
pub mod quota;
pub mod reservation;
pub mod show;
pub mod storefront;

pub mod app;
pub mod config;
pub mod demo;
pub mod logging;

pub use app::{Parts, assembled, domain, ticketing};
