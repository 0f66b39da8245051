//! The whole ticketing application: simulated, over HTTP, killed.
#![cfg(test)]

mod client;
mod invariants;
mod simulation;
mod story;
