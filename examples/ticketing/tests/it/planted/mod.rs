//! Bugs put into the simulated checkout on purpose: the simulation must find each, and by the promise that it breaks.
//!
//! They are planted between the application and its ports, never in the product.

mod all_tickets_void;
mod cancellation_lost_at_restart;
mod checkpoint_before_rows;
mod counted_apart;
mod done_before_the_answer;
mod duplicate_acted_on;
mod effect_before_commit;
mod event_skipped_at_restart;
mod hold_extended_too_far;
mod key_forgotten_at_restart;
mod late_money_kept;
mod money_taken_twice;
mod ports;
mod refund_of_a_part;
mod refund_sent_twice;
mod released_hold_sold_twice;
mod seats_of_their_own_count;
mod step_taken_twice;
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
    /// Where to look first: a seed shortly before one that was seen to find it.
    pub(crate) from: u64,
}

impl Bug {
    /// All is well.
    pub(crate) const NONE: Self =
        Self { gateway: |right| right, storage: |right, _| right, listener_looks: true, from: 0 };

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
    let found = Proof::short_from(bug.from, SEEDS).first_that(wrong);
    let (seed, broken) =
        found.unwrap_or_else(|| panic!("none of {SEEDS} seeds breaks the promise: {promise}"));
    eprintln!("found by seed {seed}:\n{}", told(&broken));
    let well = outcome_of(seed, &Bug::NONE).broken;
    assert!(well.is_empty(), "the product breaks it by itself\n{}\n{}", told(&well), replay(seed));
}
