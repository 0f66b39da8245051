//! Timers fire in time while a hundred thousand others are pending, through the whole runtime on SQLite.
#![cfg(test)]

#[path = "../src/alarms.rs"]
mod alarms;

use alarms::{Alarm, AlarmCommand, Alarms, lateness};
use composable_rust::port::{Append, NewTimer, TimerChanges};
use composable_rust::prelude::*;
use composable_rust::{Position, StreamId, TimerId, derived_uuid, process_category};
use std::time::Duration;

const PENDING: u32 = 100_000;
/// Timers that fall due, one every ten milliseconds.
const DUE: u32 = 200;

/// Timers of the same process that are due in an hour, of instances that do nothing meanwhile.
fn pending(due: Timestamp) -> Vec<Append> {
    let timer = |number: u32| NewTimer {
        id: TimerId::derived(&["pending", &number.to_string()]),
        token: derived_uuid(&["pending", &number.to_string()]),
        queue: Alarms::NAME.to_owned(),
        stream: StreamId::new(&process_category(Alarms::NAME), &format!("pending-{number}")).unwrap(),
        due,
        payload: b"{}"[..].into(),
    };
    let numbers: Vec<u32> = (0..PENDING).collect();
    let schedule = |part: &[u32]| TimerChanges {
        schedule: part.iter().map(|number| timer(*number)).collect(),
        ..TimerChanges::default()
    };
    numbers.chunks(1_000).map(|part| Append { timers: schedule(part), ..Append::default() }).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timers_fire_within_a_second_while_100_000_are_pending() {
    let folder = tempfile::tempdir().unwrap();
    let app = Application::builder("lateness").storage(Sqlite::file(folder.path().join("app.db")));
    let app = app.decider::<Alarm>().process::<Alarms>().start().await.unwrap();
    let later = app.environment().now().checked_add(Duration::from_hours(1)).unwrap();
    for appended in app.events().append_batch(pending(later)).await.unwrap() {
        appended.unwrap();
    }
    let first = app.environment().now().checked_add(Duration::from_millis(500)).unwrap();
    for number in 0..DUE {
        let due = first.checked_add(Duration::from_millis(10) * number).unwrap();
        app.execute(number.to_string(), AlarmCommand::Ask { due: vec![due] }).await.unwrap();
    }
    // An event, the step that sets the timer and the step that hears it, for each.
    let all = app.events().signal().reached(Position::from(3 * DUE));
    tokio::time::timeout(Duration::from_mins(1), all).await.unwrap();
    let mut late = lateness(&app, Position::ZERO).await.unwrap();
    late.sort_unstable_by(f64::total_cmp);
    assert_eq!(late.len(), DUE as usize, "each fires once");
    assert!(late[0] >= 0.0, "none fires early: {late:?}");
    let p99 = late[late.len() * 99 / 100];
    assert!(p99 < 1_000.0, "late by {p99} ms at the 99th percentile");
    app.shutdown().await.unwrap();
}
