//! **Cancellation lost at restart**: the list of the orders to call off is kept in memory, while it is worked off.
//!
//! Planted in the storage: what is left to do of a show's cancellation is never due once the program was started again.
//! Orders that were not called off before the crash keep their tickets: *no paid reservation without tickets or refund*,
//! which asks for the money of every order of a cancelled show, finds them.

use super::ports::{Appending, InMemory, OnAppend};
use super::{Bug, is_found};
use crate::invariants::Promise;
use composable_rust::later;
use composable_rust::port::{Append, Storage};
use composable_rust::prelude::async_trait;
use std::sync::Arc;
use std::time::Duration;

const CANCELLING: &str = "cancelling";

/// One thing after the other, so that others are served meanwhile.
#[derive(Debug)]
struct TakesItsTime;

#[async_trait]
impl OnAppend for TakesItsTime {
    async fn on_append(&self, append: &mut Append) {
        for timer in append.timers.schedule.iter_mut().filter(|timer| timer.queue == CANCELLING) {
            timer.due = later(timer.due, Duration::from_secs(5));
        }
    }
}

fn forget_the_list(right: Storage) -> Storage {
    let right = InMemory::timers(right, |timer| timer.queue == CANCELLING);
    let events = Appending { right: Arc::clone(&right.events), hook: TakesItsTime };
    Storage { events: Arc::new(events), ..right }
}

#[test]
fn simulation_finds_a_cancellation_lost_at_restart() {
    let bug = Bug { storage: |right, _| forget_the_list(right), from: 36, ..Bug::NONE };
    is_found(&bug, Promise::PaidMeansTicketsOrRefund);
}
