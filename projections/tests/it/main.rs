//! Subscriptions and projections on the memory store, under virtual time.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod chaos;
mod parking;
mod projection;
mod rebuild;
mod subscription;
mod tally;
mod view;
mod world;
