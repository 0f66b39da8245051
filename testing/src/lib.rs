//! Given/when/then, `TestStore`, in-memory adapters with faults, contract suites and deterministic simulation.
//!
//! For tests of applications and of adapters. Nothing here is needed in production.

pub mod contract;
mod environment;
pub mod memory;
pub mod model;
pub mod simulation;
pub mod spec;
pub mod strategies;
pub mod test_store;

pub use environment::{StepSpawner, TestClock, TestEnvironment, test_environment};
pub use test_store::TestStore;
