//! Timers fire in time while a hundred thousand others are pending, through the whole runtime on SQLite.
#![cfg(test)]

use composable_rust::port::{Append, LogQuery, NewTimer, TimerChanges};
use composable_rust::prelude::*;
use composable_rust::{Position, StreamId, TimerId, derived_uuid, process_category};
use jiff::Timestamp;
use std::time::Duration;

const PENDING: u32 = 100_000;
/// Timers that fall due, one every ten milliseconds.
const DUE: u32 = 200;

#[derive(Debug, Clone, Default, PartialEq, State)]
struct Alarm {}

#[derive(Debug, Clone, PartialEq, Action)]
#[action(category = "alarm", key = String, decider = Alarm)]
enum AlarmAction {
    #[command]
    Ask { due: Timestamp },
    #[event]
    Asked { due: Timestamp },
}

impl Decider for Alarm {
    type Action = AlarmAction;
    type Rejection = Never;

    fn decide(&self, command: AlarmCommand, _: &Context) -> Decision<Self> {
        let AlarmCommand::Ask { due } = command;
        Ok(vec![AlarmEvent::Asked { due }])
    }

    fn evolve(&mut self, _: &AlarmEvent) {}
}

#[derive(Debug, Clone, Default, PartialEq, State)]
struct Alarms {
    rung: Option<Timestamp>,
}

#[derive(Debug, Clone, Input)]
enum AlarmsInput {
    Alarm(String, AlarmEvent),
    #[timer]
    Ring {
        due: Timestamp,
    },
}

impl Process for Alarms {
    type Input = AlarmsInput;
    const NAME: &'static str = "alarms";

    fn id(input: &AlarmsInput) -> Option<ProcessId> {
        match input {
            AlarmsInput::Alarm(key, _) => Some(ProcessId::of(key)),
            AlarmsInput::Ring { .. } => None,
        }
    }

    fn react(&mut self, input: Recorded<AlarmsInput>) -> Steps<Self> {
        match input.body {
            AlarmsInput::Alarm(_, AlarmEvent::Asked { due }) => {
                steps![schedule(AlarmsTimer::Ring { due }, due)]
            }
            AlarmsInput::Ring { due } => {
                self.rung = Some(due);
                steps![]
            }
        }
    }
}

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
        app.execute(number.to_string(), AlarmCommand::Ask { due }).await.unwrap();
    }
    // An event, the step that sets the timer and the step that hears it, for each.
    let all = app.events().signal().reached(Position::from(3 * DUE));
    tokio::time::timeout(Duration::from_mins(1), all).await.unwrap();
    let categories = [process_category(Alarms::NAME)];
    let query = LogQuery::after(Position::ZERO, 1_000).of(Some(&categories));
    let mut late = Vec::new();
    for event in app.events().read_log(query).await.unwrap().events {
        let step: serde_json::Value = serde_json::from_slice(&event.payload).unwrap();
        let rung: Option<Timestamp> = serde_json::from_value(step["state"]["rung"].clone()).unwrap();
        late.extend(rung.map(|due| event.recorded_at.duration_since(due).as_millis()));
    }
    late.sort_unstable();
    assert_eq!(late.len(), DUE as usize, "each fires once");
    assert!(late[0] >= 0, "none fires early: {late:?}");
    let p99 = late[late.len() * 99 / 100];
    assert!(p99 < 1_000, "late by {p99} ms at the 99th percentile");
    app.shutdown().await.unwrap();
}
