//! **Released hold sold twice**: who pays after the end of the hold gets tickets without taking the places again.
//!
//! Planted where the checkout's work is stored: its order to take places again becomes the order's completion. The
//! places were freed and may be another's by then: *no oversell* finds more places paid than were sold.

use super::ports::{Appending, OnAppend};
use super::{Bug, is_found};
use crate::invariants::Promise;
use composable_rust::port::{Append, NewTimer, Storage};
use composable_rust::prelude::async_trait;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Debug)]
struct ForgetsTheRelease;

#[async_trait]
impl OnAppend for ForgetsTheRelease {
    async fn on_append(&self, append: &mut Append) {
        let Some(payment) = payment_of(append) else { return };
        for timer in &mut append.timers.schedule {
            forget_the_release(timer, &payment);
        }
    }
}

/// The payment that the checkout's state names after this step.
fn payment_of(append: &Append) -> Option<Value> {
    let part = append.streams.iter().find(|part| part.stream.category() == "process-checkout")?;
    let step: Value = serde_json::from_slice(&part.events.last()?.payload).ok()?;
    step.pointer("/state/attempt/payment").cloned()
}

fn forget_the_release(timer: &mut NewTimer, payment: &Value) {
    let mut work: Value = serde_json::from_slice(&timer.payload).expect("work");
    let Some(order) = work.pointer("/effect/command/Retake/reservation").cloned() else { return };
    work["effect"] = json!({
        "do": "dispatch", "category": "reservation", "key": order,
        "command": { "CompleteLate": { "payment": payment } },
    });
    timer.payload = work.to_string().into();
}

fn forget(right: Storage) -> Storage {
    let events = Appending { right: Arc::clone(&right.events), hook: ForgetsTheRelease };
    Storage { events: Arc::new(events), ..right }
}

#[test]
fn simulation_finds_a_released_hold_sold_twice() {
    is_found(&Bug { storage: |right, _| forget(right), ..Bug::NONE }, Promise::NoOversell);
}
