//! Bugs put into the simulated checkout on purpose: the simulation must find each, and by the promise that it breaks.
//!
//! They are planted between the application and its ports, never in the product.

mod checkpoint_before_rows;
mod duplicate_acted_on;
mod effect_before_commit;
mod money_taken_twice;
mod ports;
mod released_hold_sold_twice;
mod timer_lost_at_restart;

use crate::invariants::{Broken, Promise, told};
use crate::proof::Proof;
use crate::simulation::{SEEDS, outcome_of, replay};
use composable_rust::Environment;
use composable_rust::port::{OpenStorage, Storage, StoreError};
use composable_rust::prelude::async_trait;
use composable_rust::testing::memory::MemoryStorage;
use std::fmt;
use std::sync::Arc;
use ticketing::payment::gateway::{PaymentGateway, SimulatedGateway};

/// What is wrong between the application and its world.
#[derive(Clone, Copy)]
pub(crate) struct Bug {
    /// The gateway that the application talks to, in place of a right one.
    pub(crate) gateway: fn(Arc<SimulatedGateway>) -> Arc<dyn PaymentGateway>,
    /// The storage that it works on, each time it is opened.
    pub(crate) storage: fn(Storage, Arc<SimulatedGateway>) -> Storage,
    /// Whether who follows the bus looks if it has acted on an event before.
    pub(crate) listener_looks: bool,
}

impl Bug {
    /// All is well.
    pub(crate) const NONE: Self =
        Self { gateway: |right| right, storage: |right, _| right, listener_looks: true };

    /// The storage with the bug in it.
    pub(crate) fn put_into(
        &self,
        right: MemoryStorage,
        gateway: Arc<SimulatedGateway>,
    ) -> impl OpenStorage + 'static {
        Spoiled { right, gateway, spoil: self.storage }
    }
}

struct Spoiled {
    right: MemoryStorage,
    gateway: Arc<SimulatedGateway>,
    spoil: fn(Storage, Arc<SimulatedGateway>) -> Storage,
}

impl fmt::Debug for Spoiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.right.fmt(f)
    }
}

#[async_trait]
impl OpenStorage for Spoiled {
    async fn open(&self, environment: &Environment) -> Result<Storage, StoreError> {
        Ok((self.spoil)(self.right.open(environment).await?, Arc::clone(&self.gateway)))
    }
}

/// Finds `bug` within a thousand seeds by the promise that it breaks, and makes sure that nothing else breaks it: without
/// the bug the same seed is well.
fn is_found(bug: &Bug, promise: Promise) {
    let is_wrong = |broken: &Vec<Broken>| broken.iter().any(|broken| broken.promise == promise);
    let wrong = |seed| Some(outcome_of(seed, bug).broken).filter(is_wrong);
    let found = Proof::short(SEEDS).first_that(wrong);
    let (seed, broken) =
        found.unwrap_or_else(|| panic!("no seed below {SEEDS} breaks the promise: {promise}"));
    eprintln!("found by seed {seed}:\n{}", told(&broken));
    let well = outcome_of(seed, &Bug::NONE).broken;
    assert!(well.is_empty(), "the product breaks it by itself\n{}\n{}", told(&well), replay(seed));
}
