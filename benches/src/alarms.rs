//! A process that wants to be woken, to see how late timers fire: for the benchmark and for the test of the same name.

use composable_rust::port::LogQuery;
use composable_rust::prelude::*;
use composable_rust::{Position, process_category};
use jiff::Timestamp;
use std::error::Error;

/// Somebody who wants to be woken.
#[derive(Debug, Clone, Default, PartialEq, State)]
pub(crate) struct Alarm {}

#[derive(Debug, Clone, PartialEq, Action)]
#[action(category = "alarm", key = String, decider = Alarm)]
pub(crate) enum AlarmAction {
    #[command]
    Ask { due: Vec<Timestamp> },
    #[event]
    Asked { due: Vec<Timestamp> },
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

/// Sets the timers, and notes when the one that fired was due.
#[derive(Debug, Clone, Default, PartialEq, State)]
pub(crate) struct Alarms {
    /// When it was due.
    rung: Option<Timestamp>,
}

#[derive(Debug, Clone, Input)]
pub(crate) enum AlarmsInput {
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
                let mut steps = steps![];
                for due in due {
                    steps.push(schedule(AlarmsTimer::Ring { due }, due));
                }
                steps
            }
            AlarmsInput::Ring { due } => {
                self.rung = Some(due);
                steps![]
            }
        }
    }
}

/// How late each timer that fired after `after` was recorded, in milliseconds.
pub(crate) async fn lateness(
    app: &Application,
    mut after: Position,
) -> Result<Vec<f64>, Box<dyn Error + Send + Sync>> {
    let categories = [process_category(Alarms::NAME)];
    let mut late = Vec::new();
    loop {
        let page = app.events().read_log(LogQuery::after(after, 1_000).of(Some(&categories))).await?;
        for event in &page.events {
            let step: serde_json::Value = serde_json::from_slice(&event.payload)?;
            let due: Option<Timestamp> = serde_json::from_value(step["state"]["rung"].clone())?;
            // The step that set the timers has heard none.
            late.extend(due.map(|due| event.recorded_at.duration_since(due).as_secs_f64() * 1e3));
        }
        if page.read_to >= page.horizon {
            return Ok(late);
        }
        after = page.read_to;
    }
}
