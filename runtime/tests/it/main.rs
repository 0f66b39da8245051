//! The runtime as an application sees it, on the memory adapters.
#![cfg(test)]

mod bus;
mod command_limits;
mod commands;
mod defects;
mod domain;
mod fairness;
mod health;
mod lifecycle;
mod parking;
mod processes;
mod relay;
mod resilience;
mod store;
mod wiring;
