//! **Step taken twice**: a process does not look if it has heard an event before.
//!
//! Delivery is at least once: after a crash the events since the last checkpoint come again, here all of them. Planted in
//! the storage: the steps of a refund are kept without the id of their input, so nothing refuses the second one.
//! *No process takes a step again for an event that it has heard* finds it.

use super::ports::{Appending, Forgotten, OnAppend};
use super::{Bug, is_found};
use crate::invariants::Promise;
use composable_rust::port::{Append, Storage};
use composable_rust::prelude::async_trait;
use std::sync::Arc;

#[derive(Debug)]
struct WithoutInputIds;

#[async_trait]
impl OnAppend for WithoutInputIds {
    async fn on_append(&self, append: &mut Append) {
        if append.streams.iter().any(|part| part.stream.category() == "process-refunding") {
            append.command = None;
        }
    }
}

fn forget_inputs(right: Storage) -> Storage {
    let events = Appending { right: Arc::clone(&right.events), hook: WithoutInputIds };
    let checkpoints = Forgotten(Arc::clone(&right.checkpoints));
    Storage { events: Arc::new(events), checkpoints: Arc::new(checkpoints), ..right }
}

#[test]
fn simulation_finds_a_step_taken_twice() {
    let bug = Bug { storage: |right, _| forget_inputs(right), ..Bug::NONE };
    is_found(&bug, Promise::StepsAreTakenOnce);
}
