//! **Late money kept**: who pays after the hold has ended, and whose places are gone, gets nothing back.
//!
//! Planted where the checkout's work is stored: its call to give the money back is left out, as by somebody who answers
//! "too late" and thinks no further. *No paid reservation without tickets or refund* finds money for which nothing was
//! sold.

use super::ports::{Appending, OnAppend, is_to};
use super::{Bug, is_found};
use crate::invariants::Promise;
use composable_rust::port::{Append, NewTimer, Storage};
use composable_rust::prelude::async_trait;
use std::sync::Arc;

#[derive(Debug)]
struct KeepsTheMoney;

#[async_trait]
impl OnAppend for KeepsTheMoney {
    async fn on_append(&self, append: &mut Append) {
        append.timers.schedule.retain(|timer| !gives_back(timer));
    }
}

fn gives_back(timer: &NewTimer) -> bool {
    let is_refund = String::from_utf8_lossy(&timer.payload).contains(r#""activity":"refund""#);
    timer.queue == "checkout" && is_to("call", timer) && is_refund
}

fn keep_the_money(right: Storage) -> Storage {
    let events = Appending { right: Arc::clone(&right.events), hook: KeepsTheMoney };
    Storage { events: Arc::new(events), ..right }
}

#[test]
fn simulation_finds_late_money_kept() {
    let bug = Bug { storage: |right, _| keep_the_money(right), ..Bug::NONE };
    is_found(&bug, Promise::PaidMeansTicketsOrRefund);
}
