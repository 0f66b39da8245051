//! The runtime as an application sees it, on the memory adapters.
#![cfg(test)]

mod blocking;
mod bus;
mod command_limits;
mod commands;
mod defects;
mod domain;
mod fairness;
mod health;
mod in_process;
mod informed;
mod lifecycle;
mod parking;
mod process_start;
mod processes;
mod rebuilding;
mod relay;
mod resilience;
mod store;
mod wiring;
