//! **Hold extended too far**: an extension counts its seconds as minutes, many times over.
//!
//! Planted before the append: an extended hold lasts a day. Who extends and does not pay keeps the places from everybody:
//! *no hold outlives its expiry*, which looks when the longest hold must long be over, finds it.

use super::ports::{Appending, OnAppend, named, rewrite};
use super::{Bug, is_found};
use crate::invariants::Promise;
use composable_rust::later;
use composable_rust::port::{Append, Storage};
use composable_rust::prelude::async_trait;
use jiff::Timestamp;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug)]
struct ExtendsByADay;

#[async_trait]
impl OnAppend for ExtendsByADay {
    async fn on_append(&self, append: &mut Append) {
        for (_, event) in named(append, "reservation.Extended") {
            rewrite(event, |extended| {
                let until: Timestamp =
                    extended["until"].as_str().unwrap_or_default().parse().expect("a time");
                extended["until"] = json!(later(until, Duration::from_hours(24)));
            });
        }
    }
}

fn extend_by_a_day(right: Storage) -> Storage {
    let events = Appending { right: Arc::clone(&right.events), hook: ExtendsByADay };
    Storage { events: Arc::new(events), ..right }
}

#[test]
fn simulation_finds_a_hold_extended_too_far() {
    is_found(&Bug { storage: |right, _| extend_by_a_day(right), ..Bug::NONE }, Promise::HoldsEnd);
}
