//! What every subscription of an instance shares.

use composable_rust_core::Environment;
use composable_rust_core::port::Storage;

/// The storage and environment that subscriptions of one instance work with; cheap to clone.
#[derive(Debug, Clone)]
pub struct Dependencies {
    /// All storage ports.
    pub storage: Storage,
    /// Time, ids, randomness, tasks.
    pub environment: Environment,
    /// Names this run of this instance in leases: unique to it, else two instances believe to hold the same lease.
    pub holder: String,
}
