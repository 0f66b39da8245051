//! Tests of the bus on real brokers: the contract of the port, and what is special to brokers.
//!
//! They need `TEST_KAFKA_BROKERS`, and some of them their own broker from `TEST_KAFKA_LIBS`:
//! `eval "$(cargo xtask services up --only kafka)"`.
#![cfg(test)]

mod broker;
mod contract;
mod groups;
mod outage;
mod support;
mod topics;
