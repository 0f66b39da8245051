//! **Done before the answer**: a call to the gateway is crossed off when it is taken up, and not with its outcome.
//!
//! Planted in the timers, which is where calls are kept: what is due is removed as it is handed out. A call that fails,
//! or whose answer comes after a crash, is made never again, and nobody hears its outcome: *every activity's outcome is
//! known* finds the payment that stays under way.

use super::ports::{Appending, Due, OnAppend, OnDue, is_to};
use super::{Bug, is_found};
use crate::invariants::Promise;
use composable_rust::port::{Append, Storage, StoreError, Timer, TimerClaim, TimerStore};
use composable_rust::prelude::async_trait;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use uuid::Uuid;

/// The calls that were crossed off: an append that claims one would find it gone.
#[derive(Debug, Clone, Default)]
struct CrossedOff(Arc<Mutex<BTreeSet<Uuid>>>);

#[async_trait]
impl OnDue for CrossedOff {
    async fn on_due(&self, right: &dyn TimerStore, due: Vec<Timer>) -> Result<Vec<Timer>, StoreError> {
        for Timer { timer, .. } in due.iter().filter(|due| is_to("call", &due.timer)) {
            right.remove(TimerClaim { id: timer.id, token: timer.token }).await?;
            self.0.lock().unwrap().insert(timer.token);
        }
        Ok(due)
    }
}

#[async_trait]
impl OnAppend for CrossedOff {
    async fn on_append(&self, append: &mut Append) {
        let crossed_off = self.0.lock().unwrap();
        append.timers.claim.retain(|claim| !crossed_off.contains(&claim.token));
    }
}

fn cross_off(right: Storage) -> Storage {
    let hook = CrossedOff::default();
    let events = Appending { right: Arc::clone(&right.events), hook: hook.clone() };
    let timers = Due { right: Arc::clone(&right.timers), hook };
    Storage { events: Arc::new(events), timers: Arc::new(timers), ..right }
}

#[test]
fn simulation_finds_a_call_that_is_done_before_its_answer() {
    is_found(&Bug { storage: |right, _| cross_off(right), ..Bug::NONE }, Promise::OutcomesAreKnown);
}
