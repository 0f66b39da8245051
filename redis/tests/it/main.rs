//! Tests of the adapters on a real Redis: the contracts of the ports, and what happens while it is away.
//!
//! They need `TEST_REDIS_URL`: `eval "$(cargo xtask services up --only redis)"`.
#![cfg(test)]

mod away;
mod contract;
mod line;
mod setup;
mod support;
