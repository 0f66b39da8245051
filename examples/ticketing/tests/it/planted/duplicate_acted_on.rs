//! **Duplicate delivery acted on**: the checkout hears an event again and takes its step again.
//!
//! Delivery is at least once, so a start may deliver everything anew; here it always does, and the product must not
//! mind. Planted in the event store: appends of the checkout come without the command id by which a step that was taken
//! is known. An order that is over goes through its story again: *money moves once* or another promise about its
//! payment finds it.

use super::ports::{Appending, Forgotten, OnAppend};
use super::{Bug, is_found_beside};
use crate::invariants::Promise;
use composable_rust::port::{Append, Storage};
use composable_rust::prelude::async_trait;
use std::sync::Arc;

#[derive(Debug)]
struct WithoutIds;

#[async_trait]
impl OnAppend for WithoutIds {
    async fn on_append(&self, append: &mut Append) {
        if append.streams.iter().any(|part| part.stream.category() == "process-checkout") {
            append.command = None;
        }
    }
}

/// Everything is delivered again at each start: no bug by itself.
fn deliver_again(right: Storage) -> Storage {
    let checkpoints = Forgotten(Arc::clone(&right.checkpoints));
    Storage { checkpoints: Arc::new(checkpoints), ..right }
}

fn act_again(right: Storage) -> Storage {
    let events = Appending { right: Arc::clone(&right.events), hook: WithoutIds };
    deliver_again(Storage { events: Arc::new(events), ..right })
}

#[test]
fn simulation_finds_a_duplicate_delivery_acted_on() {
    let right = Bug { storage: |right, _| deliver_again(right), ..Bug::NONE };
    let wrong = Bug { storage: |right, _| act_again(right), ..Bug::NONE };
    is_found_beside(&right, &wrong, Promise::PaidMeansTicketsOrRefund);
}
