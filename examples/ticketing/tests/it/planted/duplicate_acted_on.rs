//! **Duplicate delivery acted on**: a batch of events that a read model has taken is taken again.
//!
//! Delivery is at least once: when the answer of a commit is lost, or the program crashes before the next one, the same
//! events come again. Planted in the read-model store: it does not compare a batch's checkpoint with the one it has
//! saved, so what comes again is counted again. *Projections equal a full rebuild* finds places that do not exist.
//!
//! Planted again beside the application: who follows the bus does not look if it has acted on an event before.
//!
//! That the checkout itself does not act twice is the healthy half: `deliver_again` forgets its checkpoints, so that each
//! start delivers everything anew, and no promise breaks.

use super::ports::{Committing, Forgotten, OnCommit};
use super::{Bug, is_found};
use crate::invariants::{Promise, told};
use crate::proof::Proof;
use crate::simulation::{Outcome, outcome_of};
use composable_rust::port::{Checkpoint, ReadModelStore, Storage, StoreError, ViewBatch};
use composable_rust::prelude::async_trait;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts commits, to give each a name of its own.
#[derive(Debug, Default)]
struct TakesAgain(AtomicU64);

#[async_trait]
impl OnCommit for TakesAgain {
    async fn commit(&self, right: &dyn ReadModelStore, batch: ViewBatch) -> Result<(), StoreError> {
        let number = self.0.fetch_add(1, Ordering::SeqCst);
        let subscription =
            format!("{}:{}:{number}", batch.checkpoint.subscription, batch.checkpoint.position);
        let checkpoint = Checkpoint { subscription, ..batch.checkpoint.clone() };
        right.commit(ViewBatch { checkpoint, ..batch.clone() }).await?;
        right.commit(ViewBatch { changes: Vec::new(), ..batch }).await
    }
}

fn take_again(right: Storage) -> Storage {
    let views = Committing { right: Arc::clone(&right.views), hook: TakesAgain::default() };
    Storage { views: Arc::new(views), ..right }
}

/// Everything is delivered again at each start: no bug.
fn deliver_again(right: Storage) -> Storage {
    let checkpoints = Forgotten(Arc::clone(&right.checkpoints));
    Storage { checkpoints: Arc::new(checkpoints), ..right }
}

#[test]
fn simulation_finds_a_duplicate_delivery_acted_on() {
    is_found(&Bug { storage: |right, _| take_again(right), ..Bug::NONE }, Promise::ViewsEqualARebuild);
}

#[test]
fn simulation_finds_a_message_of_the_bus_that_is_acted_on_again() {
    is_found(&Bug { listener_looks: false, ..Bug::NONE }, Promise::TheBusTellsTheLog);
}

#[test]
fn simulation_of_a_checkout_that_hears_everything_again_at_each_start_keeps_every_promise() {
    let again = Bug { storage: |right, _| deliver_again(right), ..Bug::NONE };
    let wrong = |seed| Some(outcome_of(seed, &again)).filter(|outcome| !outcome.broken.is_empty());
    if let Some((seed, Outcome { broken, .. })) = Proof::of(50).first_that(wrong) {
        panic!("seed {seed} breaks a promise\n{}", told(&broken));
    }
}
