//! The requests that need storage or another aggregate, as plain data.

use super::{
    DispatchError, Dispatched, Effect, EffectDescription, EffectHost, EffectKind, HostCall, HostRequest,
};
use crate::port::{AppendError, Appended, Snapshot, StoreError};
use crate::{
    Action, Command, Event, EventMetadata, ExpectedVersion, IntoKey, RecordedEvent, SchemaVersion, State,
    StreamId, StreamVersion, TimerId,
};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::borrow::Cow;

/// Appends events to one stream, all or nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct AppendEvents {
    /// The stream.
    pub stream: StreamId,
    /// What its version must be.
    pub expected: ExpectedVersion,
    /// What to append; the text of the error when an event has no JSON form, which the append then fails with.
    pub events: Result<Vec<PendingEvent>, String>,
    /// Where they come from.
    pub metadata: EventMetadata,
}

/// An encoded event that has no id yet; the host gives it one.
#[derive(Debug, Clone, PartialEq)]
pub struct PendingEvent {
    /// Its stable name.
    pub event_type: &'static str,
    /// The version of the payload's shape.
    pub schema_version: SchemaVersion,
    /// The encoded content.
    pub payload: Bytes,
}

impl AppendEvents {
    /// Appends `events` to `stream` if it is at the version `expected`.
    pub fn new<E: Event>(
        stream: StreamId,
        expected: ExpectedVersion,
        events: impl IntoIterator<Item = E>,
    ) -> Self {
        let encoded = events.into_iter().map(|event| PendingEvent::encode(&event)).collect();
        Self { stream, expected, events: encoded, metadata: EventMetadata::default() }
    }

    /// With the origin of the events.
    #[must_use]
    pub fn from_origin(mut self, metadata: EventMetadata) -> Self {
        self.metadata = metadata;
        self
    }
}

impl PendingEvent {
    fn encode<E: Event>(event: &E) -> Result<Self, String> {
        let payload = event.encode().map_err(|error| format!("{error}: {}", error.source))?;
        Ok(Self {
            event_type: event.event_type(),
            schema_version: event.schema_version(),
            payload: payload.into(),
        })
    }

    fn describe(&self) -> Value {
        let payload = serde_json::from_slice(&self.payload).unwrap_or(Value::Null);
        json!({ "type": self.event_type, "version": self.schema_version, "payload": payload })
    }
}

/// Reads events of one stream, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadEvents {
    /// The stream.
    pub stream: StreamId,
    /// Only events after this version.
    pub after: StreamVersion,
    /// At most so many events.
    pub limit: usize,
}

/// Saves a state as a snapshot of its stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaveSnapshot {
    /// The stream.
    pub stream: StreamId,
    /// What to save; the text of the error when the state has no JSON form.
    pub snapshot: Result<Snapshot, String>,
}

impl SaveSnapshot {
    /// Saves `state`, which is the fold of `stream` up to `version`.
    pub fn new<S: State>(stream: StreamId, version: StreamVersion, state: &S) -> Self {
        let encoded = serde_json::to_vec(state).map_err(|error| error.to_string());
        let snapshot = encoded.map(|state| Snapshot { version, schema: S::SCHEMA, state: state.into() });
        Self { stream, snapshot }
    }
}

/// Loads the newest snapshot of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadSnapshot {
    /// The stream.
    pub stream: StreamId,
}

/// Executes a command on an aggregate.
#[derive(Debug, Clone, PartialEq)]
pub struct DispatchCommand {
    /// The aggregate's category.
    pub category: Cow<'static, str>,
    /// The aggregate's key.
    pub key: String,
    /// The encoded command; the text of the error when it has no JSON form.
    pub command: Result<Value, String>,
    /// Under which id it is executed at most once; the dispatcher makes one where there is none.
    pub id: Option<crate::CommandId>,
}

impl DispatchCommand {
    /// The command `command` for the aggregate `key`.
    pub fn new<C: Command>(key: impl IntoKey<<C::Action as Action>::Key>, command: &C) -> Self {
        Self {
            category: Cow::Borrowed(<C::Action as Action>::CATEGORY),
            key: key.into_key().to_string(),
            command: serde_json::to_value(command).map_err(|error| error.to_string()),
            id: None,
        }
    }

    /// Under an id, so that a repeat does nothing.
    #[must_use]
    pub fn under(mut self, id: crate::CommandId) -> Self {
        self.id = Some(id);
        self
    }
}

/// Sets a durable timer, replacing a pending one with the same id.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduleTimer {
    /// Its id.
    pub id: TimerId,
    /// Who handles it.
    pub queue: String,
    /// The stream it belongs to.
    pub stream: StreamId,
    /// When it is due.
    pub due: Timestamp,
    /// What to do then, as the handler encodes it.
    pub payload: Value,
}

/// Removes a durable timer, if it is pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CancelTimer {
    /// Its id.
    pub id: TimerId,
}

impl HostRequest for AppendEvents {
    type Outcome = Result<Appended, AppendError>;

    fn describe(&self) -> EffectDescription {
        let target = format!("{} at {}", self.stream, self.expected);
        EffectDescription::new(EffectKind::AppendEvents, target).with_payload(match &self.events {
            Ok(events) => events.iter().map(PendingEvent::describe).collect(),
            Err(error) => not_encodable(error),
        })
    }

    fn perform(self, host: &dyn EffectHost) -> BoxFuture<'_, Self::Outcome> {
        host.append(self)
    }

    fn into_effect<A>(call: HostCall<Self, A>) -> Effect<A> {
        Effect::AppendEvents(call)
    }
}

impl HostRequest for LoadEvents {
    type Outcome = Result<Vec<RecordedEvent>, StoreError>;

    fn describe(&self) -> EffectDescription {
        EffectDescription::new(EffectKind::LoadEvents, self.stream.as_str())
            .with_payload(json!({ "after": self.after, "limit": self.limit }))
    }

    fn perform(self, host: &dyn EffectHost) -> BoxFuture<'_, Self::Outcome> {
        host.load(self)
    }

    fn into_effect<A>(call: HostCall<Self, A>) -> Effect<A> {
        Effect::LoadEvents(call)
    }
}

impl HostRequest for SaveSnapshot {
    type Outcome = Result<(), StoreError>;

    fn describe(&self) -> EffectDescription {
        EffectDescription::new(EffectKind::SaveSnapshot, self.stream.as_str()).with_payload(
            match &self.snapshot {
                Ok(snapshot) => json!({
                    "version": snapshot.version,
                    "schema": snapshot.schema,
                    "state": serde_json::from_slice::<Value>(&snapshot.state).unwrap_or(Value::Null),
                }),
                Err(error) => not_encodable(error),
            },
        )
    }

    fn perform(self, host: &dyn EffectHost) -> BoxFuture<'_, Self::Outcome> {
        host.save_snapshot(self)
    }

    fn into_effect<A>(call: HostCall<Self, A>) -> Effect<A> {
        Effect::SaveSnapshot(call)
    }
}

impl HostRequest for LoadSnapshot {
    type Outcome = Result<Option<Snapshot>, StoreError>;

    fn describe(&self) -> EffectDescription {
        EffectDescription::new(EffectKind::LoadSnapshot, self.stream.as_str())
    }

    fn perform(self, host: &dyn EffectHost) -> BoxFuture<'_, Self::Outcome> {
        host.load_snapshot(self)
    }

    fn into_effect<A>(call: HostCall<Self, A>) -> Effect<A> {
        Effect::LoadSnapshot(call)
    }
}

impl HostRequest for DispatchCommand {
    type Outcome = Result<Dispatched, DispatchError>;

    fn describe(&self) -> EffectDescription {
        EffectDescription::new(EffectKind::Dispatch, format!("{}/{}", self.category, self.key)).with_payload(
            match &self.command {
                Ok(command) => command.clone(),
                Err(error) => not_encodable(error),
            },
        )
    }

    fn perform(self, host: &dyn EffectHost) -> BoxFuture<'_, Self::Outcome> {
        host.dispatch(self)
    }

    fn into_effect<A>(call: HostCall<Self, A>) -> Effect<A> {
        Effect::Dispatch(call)
    }
}

impl HostRequest for ScheduleTimer {
    type Outcome = Result<(), AppendError>;

    fn describe(&self) -> EffectDescription {
        let target = format!("{} of {}", self.id, self.queue);
        EffectDescription::new(EffectKind::ScheduleTimer, target).with_payload(json!({
            "stream": self.stream,
            "due": self.due,
            "payload": self.payload,
        }))
    }

    fn perform(self, host: &dyn EffectHost) -> BoxFuture<'_, Self::Outcome> {
        host.schedule_timer(self)
    }

    fn into_effect<A>(call: HostCall<Self, A>) -> Effect<A> {
        Effect::ScheduleTimer(call)
    }
}

impl HostRequest for CancelTimer {
    type Outcome = Result<(), AppendError>;

    fn describe(&self) -> EffectDescription {
        EffectDescription::new(EffectKind::CancelTimer, self.id.to_string())
    }

    fn perform(self, host: &dyn EffectHost) -> BoxFuture<'_, Self::Outcome> {
        host.cancel_timer(self)
    }

    fn into_effect<A>(call: HostCall<Self, A>) -> Effect<A> {
        Effect::CancelTimer(call)
    }
}

fn not_encodable(error: &str) -> Value {
    Value::String(format!("not encodable: {error}"))
}
