//! The HTTP side against a real server on a socket, with a small domain of rooms whose seats are taken.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "in a test a surprise should end it at once"
)]

mod browser;
mod crash;
mod domain;
mod drain;
mod early;
mod extractors;
mod garbage;
mod health;
mod idempotency;
mod ids;
mod live;
mod metrics;
mod openapi;
mod pages;
mod principals;
mod problems;
mod rate_limits;
mod raw;
mod server;
mod slow;
mod sockets;
mod view_answers;
