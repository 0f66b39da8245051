//! **Seats of their own count**: seats are given out where the tickets are made, order by order from the first one on,
//! and not by the section that knows which are free.
//!
//! Planted before the append of an order's tickets. Two orders overlap: *no oversell* finds a seat on two tickets.

use super::ports::{Appending, OnAppend, named, rewrite};
use super::{Bug, is_found};
use crate::invariants::Promise;
use composable_rust::port::{Append, Storage};
use composable_rust::prelude::async_trait;
use serde_json::json;
use std::sync::Arc;

#[derive(Debug)]
struct CountsFromTheFirst;

#[async_trait]
impl OnAppend for CountsFromTheFirst {
    async fn on_append(&self, append: &mut Append) {
        for (_, event) in named(append, "reservation.Completed") {
            rewrite(event, |completed| {
                let tickets = completed["tickets"].as_array_mut().into_iter().flatten();
                for (ticket, number) in tickets.zip(1..) {
                    (ticket["row"], ticket["seat"]) = (json!("0"), json!(number));
                }
            });
        }
    }
}

fn count_from_the_first(right: Storage) -> Storage {
    let events = Appending { right: Arc::clone(&right.events), hook: CountsFromTheFirst };
    Storage { events: Arc::new(events), ..right }
}

#[test]
fn simulation_finds_seats_of_their_own_count() {
    let bug = Bug { storage: |right, _| count_from_the_first(right), ..Bug::NONE };
    is_found(&bug, Promise::NoOversell);
}
