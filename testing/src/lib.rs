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

/// For tests of an adapter on its server, whose time no test controls.
pub use composable_rust_runtime::live_environment;
pub use environment::{StepSpawner, TestClock, TestEnvironment, test_environment};
pub use test_store::TestStore;
