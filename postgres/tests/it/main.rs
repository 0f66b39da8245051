//! Tests of the PostgreSQL adapter on a real server: the contracts of the ports, and what is special to several writers.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

mod broken;
mod contract;
mod horizon;
mod leases;
mod opening;
mod support;
