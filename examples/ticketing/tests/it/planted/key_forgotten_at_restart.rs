//! **Key forgotten at restart**: the Idempotency-Keys of requests are kept in memory.
//!
//! Planted in the event store: what a request has done is kept under an id of this life of the program. A client that asks
//! again after a crash is served as if for the first time, and there is another show: *what is asked for again under its
//! key is done once* finds it.

use super::ports::{Appending, OnAppend};
use super::{Bug, is_found};
use crate::invariants::Promise;
use composable_rust::port::{Append, Storage};
use composable_rust::prelude::async_trait;
use composable_rust::{CommandId, Position};
use std::sync::Arc;

/// Where the log ended when this life began: no other life began there.
#[derive(Debug)]
struct OfThisLife(Position);

#[async_trait]
impl OnAppend for OfThisLife {
    async fn on_append(&self, append: &mut Append) {
        // What processes do is kept for ever, what requests do for a day.
        if let Some(command) = append.command.as_mut().filter(|command| command.keep.is_some()) {
            command.id = self.kept_as(command.id);
        }
    }

    fn kept_as(&self, id: CommandId) -> CommandId {
        CommandId::derived(&[&id.to_string(), &self.0.to_string()])
    }
}

fn forget_keys(right: Storage) -> Storage {
    let hook = OfThisLife(right.events.signal().position());
    let events = Appending { right: Arc::clone(&right.events), hook };
    Storage { events: Arc::new(events), ..right }
}

#[test]
fn simulation_finds_a_key_forgotten_at_restart() {
    is_found(&Bug { storage: |right, _| forget_keys(right), ..Bug::NONE }, Promise::KeysActOnce);
}
