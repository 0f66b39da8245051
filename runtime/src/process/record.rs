//! How a step of a process is stored.

use composable_rust_core::{
    DecodeError, EventId, EventPlace, Position, Process, ProcessEffect, RecordedEvent, SchemaVersion, State,
    TimerId,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// The type of the events in a process's streams; one for all processes, their categories tell them apart.
pub(super) const STEPPED: &str = "process.Stepped";

/// One committed step: what was heard, what became of the state, what is to be done.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Stepped {
    pub(super) input: InputRecord,
    /// The version of the state's shape.
    pub(super) schema: SchemaVersion,
    pub(super) state: Box<RawValue>,
    pub(super) effects: Vec<ProcessEffect>,
}

/// What was heard: a reference to what the log holds, the content of what it does not.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum InputRecord {
    /// An event.
    Event { id: EventId, position: Position, event_type: String },
    /// A command was refused.
    Rejected { work: TimerId, category: String, rejection: Box<RawValue> },
    /// An activity ended.
    Outcome { work: TimerId, activity: String, outcome: Box<RawValue> },
    /// A timer was due.
    Timer { timer: Value },
}

impl InputRecord {
    /// Names the input among all inputs of an instance, with the token of a timer's schedule.
    pub(super) fn reference(&self, token: Option<uuid::Uuid>) -> String {
        match (self, token) {
            (Self::Event { id, .. }, _) => format!("event:{id}"),
            (Self::Rejected { .. } | Self::Outcome { .. } | Self::Timer { .. }, Some(token)) => {
                format!("work:{token}")
            }
            (Self::Rejected { work, .. } | Self::Outcome { work, .. }, None) => format!("work:{work}"),
            (Self::Timer { timer }, None) => format!("timer:{timer}"),
        }
    }
}

/// The state after the step that `event` holds. A process's state has no upcasters: a field added later needs a
/// default.
pub(super) fn state_after<P: Process>(event: &RecordedEvent) -> Result<P, DecodeError> {
    let failed = |what: &str, schema| {
        let event_type = what.to_owned();
        move |source| {
            let place = EventPlace::of(event);
            DecodeError::Payload { event_type, schema, raised_to: schema, place, source }
        }
    };
    let step: Stepped =
        serde_json::from_slice(&event.payload).map_err(failed(STEPPED, event.schema_version))?;
    let what = format!("state of process {}", P::NAME);
    if step.schema > <P as State>::SCHEMA {
        return Err(DecodeError::NewerSchema {
            event_type: what,
            found: step.schema,
            newest: <P as State>::SCHEMA,
            place: EventPlace::of(event),
        });
    }
    serde_json::from_str(step.state.get()).map_err(failed(&what, step.schema))
}
