//! Buses that need no server. Adapters of real brokers are crates of their own.

mod in_process;
mod partitions;

pub use in_process::{GroupAbsent, GroupProgress, InProcessBus, InProcessBusOptions};
