//! **Timer lost at restart**: timers live in memory, as sleeps would.
//!
//! Planted in the storage: timers that were set before it was opened never become due (commands and calls, which are
//! stored as timers too, do). An order that was placed before a crash never expires:
//! *no hold outlives its expiry* finds it.

use super::ports::{Appending, Knows, OnAppend, SomeTimers};
use super::{Bug, is_found};
use crate::invariants::Promise;
use composable_rust::port::{Append, Storage, Timer};
use composable_rust::prelude::async_trait;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use uuid::Uuid;

/// The schedules since the start.
#[derive(Debug, Clone, Default)]
struct InMemory(Arc<Mutex<BTreeSet<Uuid>>>);

#[async_trait]
impl OnAppend for InMemory {
    async fn on_append(&self, append: &mut Append) {
        self.0.lock().unwrap().extend(append.timers.schedule.iter().map(|timer| timer.token));
    }
}

impl Knows for InMemory {
    fn knows(&self, timer: &Timer) -> bool {
        let is_timer = String::from_utf8_lossy(&timer.timer.payload).contains(r#""do":"schedule""#);
        !is_timer || self.0.lock().unwrap().contains(&timer.timer.token)
    }
}

fn forget_timers(right: Storage) -> Storage {
    let known = InMemory::default();
    let events = Appending { right: Arc::clone(&right.events), hook: known.clone() };
    let timers = SomeTimers { right: Arc::clone(&right.timers), known };
    Storage { events: Arc::new(events), timers: Arc::new(timers), ..right }
}

#[test]
fn simulation_finds_a_timer_lost_at_restart() {
    is_found(&Bug { storage: |right, _| forget_timers(right), ..Bug::NONE }, Promise::HoldsEnd);
}
