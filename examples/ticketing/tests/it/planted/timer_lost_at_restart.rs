//! **Timer lost at restart**: timers live in memory, as sleeps would.
//!
//! Planted in the storage: timers that were set before it was opened never become due (commands and calls, which are
//! stored as timers too, do). An order that was placed before a crash never expires:
//! *no hold outlives its expiry* finds it.

use super::ports::{InMemory, is_to};
use super::{Bug, is_found};
use crate::invariants::Promise;
use composable_rust::port::Storage;

fn forget_timers(right: Storage) -> Storage {
    InMemory::timers(right, |timer| is_to("schedule", timer))
}

#[test]
fn simulation_finds_a_timer_lost_at_restart() {
    is_found(&Bug { storage: |right, _| forget_timers(right), from: 12, ..Bug::NONE }, Promise::HoldsEnd);
}
