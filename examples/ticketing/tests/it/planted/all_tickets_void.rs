//! **All tickets void**: one ticket of an order is given back, and all of them open no door any longer.
//!
//! Planted before the append: an order's refund names all its tickets, whichever went back. The money of the others is
//! kept: *no paid reservation without tickets or refund* finds it.

use super::ports::{Appending, OnAppend, named, rewrite};
use super::{Bug, is_found};
use crate::invariants::Promise;
use composable_rust::port::{Append, Storage};
use composable_rust::prelude::async_trait;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// The tickets of each order that was paid.
#[derive(Debug, Default)]
struct VoidsAll(Mutex<BTreeMap<String, Vec<Value>>>);

#[async_trait]
impl OnAppend for VoidsAll {
    async fn on_append(&self, append: &mut Append) {
        let mut orders = self.0.lock().unwrap();
        for (order, event) in named(append, "reservation.Completed") {
            let completed: Value = serde_json::from_slice(&event.payload).expect("JSON");
            let tickets = completed["tickets"].as_array().into_iter().flatten();
            orders.insert(order, tickets.map(|ticket| ticket["id"].clone()).collect());
        }
        for (order, event) in named(append, "reservation.Refunded") {
            if let Some(all) = orders.get(&order) {
                rewrite(event, |refunded| refunded["tickets"] = all.clone().into());
            }
        }
    }
}

fn void_all(right: Storage) -> Storage {
    let events = Appending { right: Arc::clone(&right.events), hook: VoidsAll::default() };
    Storage { events: Arc::new(events), ..right }
}

#[test]
fn simulation_finds_all_tickets_void() {
    let bug = Bug { storage: |right, _| void_all(right), ..Bug::NONE };
    is_found(&bug, Promise::PaidMeansTicketsOrRefund);
}
