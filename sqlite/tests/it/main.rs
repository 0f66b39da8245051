//! Tests of the SQLite adapter: the contracts of the ports, and what is special to a file.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking")]

mod cancellation;
mod contract;
mod crash;
mod limits;
mod opening;
mod responses;
mod support;
