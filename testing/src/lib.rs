//! Given/when/then, `TestStore`, in-memory adapters with faults, contract suites and deterministic simulation.
//!
//! For tests of applications and of adapters. Nothing here is needed in production.

pub mod contract;
pub mod model;
pub mod spec;
pub mod strategies;
pub mod memory;
pub mod simulation;
