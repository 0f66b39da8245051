//! The envelope of an event: what is stored beside the payload, before and after the append.

use crate::{
    CausationId, CommandId, CorrelationId, DecodeError, EventId, Keyed, Position, SchemaVersion, StreamId,
    StreamVersion, UserId,
};
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Where an event came from: who asked, what caused it, which trace it belongs to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventMetadata {
    /// Ties together everything that one request started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<CorrelationId>,
    /// The event or command that directly caused this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<CausationId>,
    /// The command that was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command_id: Option<CommandId>,
    /// On whose behalf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// W3C `traceparent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_parent: Option<String>,
    /// The subject whose key encrypts personal data of the payload, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Whatever else the application wants to keep; not read by the framework.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub custom: BTreeMap<String, String>,
}

impl EventMetadata {
    /// The metadata as stored. JSON of this type cannot fail; an impossible failure stores an empty object.
    pub fn encode(&self) -> RawMetadata {
        RawMetadata(serde_json::to_vec(self).map_or_else(|_| Bytes::from_static(b"{}"), Bytes::from))
    }
}

/// Metadata as stored, decoded only where somebody looks: most readers never do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawMetadata(Bytes);

impl RawMetadata {
    /// Wraps stored bytes.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }

    /// The stored bytes.
    pub fn as_bytes(&self) -> &Bytes {
        &self.0
    }

    /// The metadata; bytes that are none (written by other software) read as empty.
    pub fn decode(&self) -> EventMetadata {
        serde_json::from_slice(&self.0).unwrap_or_default()
    }
}

/// A stable name of a kind of event, `category.Variant` unless the user gave another.
pub type EventType = Cow<'static, str>;

/// An event about to be appended.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// Unique id (`UUIDv7`).
    pub id: EventId,
    /// What kind of event.
    pub event_type: EventType,
    /// The version of the payload's shape.
    pub schema_version: SchemaVersion,
    /// The encoded content.
    pub payload: Bytes,
    /// Where it came from, encoded once for all events of a command.
    pub metadata: RawMetadata,
}

impl NewEvent {
    /// The bytes of its payload and metadata, as [`RecordedEvent::content_bytes`].
    pub fn content_bytes(&self) -> usize {
        self.payload.len() + self.metadata.as_bytes().len()
    }
}

/// An event as the log holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedEvent {
    /// Its place in the log.
    pub position: Position,
    /// Its stream.
    pub stream: StreamId,
    /// Its place in the stream, from 1.
    pub version: StreamVersion,
    /// Unique id (`UUIDv7`).
    pub id: EventId,
    /// What kind of event.
    pub event_type: EventType,
    /// The version of the payload's shape.
    pub schema_version: SchemaVersion,
    /// The encoded content.
    pub payload: Bytes,
    /// Where it came from.
    pub metadata: RawMetadata,
    /// When the store recorded it, by the store's clock, to the microsecond.
    pub recorded_at: Timestamp,
}

impl RecordedEvent {
    /// The bytes of its payload and metadata, by which pages are limited.
    pub fn content_bytes(&self) -> usize {
        self.payload.len() + self.metadata.as_bytes().len()
    }
}

/// A decoded event or input together with its envelope.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded<B: Keyed> {
    /// The decoded content.
    pub body: B,
    /// The key of the stream or of the process instance.
    pub key: B::Key,
    /// Its place in the log; zero for an input that is no event.
    pub position: Position,
    /// Its place in its stream.
    pub version: StreamVersion,
    /// Unique id.
    pub id: EventId,
    /// When the store recorded it, or when the input happened.
    pub recorded_at: Timestamp,
    /// Where it came from, undecoded.
    pub metadata: RawMetadata,
}

impl<B: Keyed> Recorded<B> {
    /// The key of the stream or of the process instance.
    pub fn key(&self) -> &B::Key {
        &self.key
    }
}

/// A set of events that a reader understands: one aggregate's events, or an enum over several (`#[derive(Events)]`).
pub trait EventSet: Keyed + Sized + Send + Sync + 'static {
    /// Categories whose events this set reads.
    fn categories() -> Vec<&'static str>;

    /// The types it decodes with their newest schema versions, for the start-up check.
    fn event_types() -> Vec<(&'static str, SchemaVersion)>;

    /// Decodes an event of one of [`Self::categories`].
    ///
    /// # Errors
    /// [`DecodeError`] for an unknown type, a newer schema or a payload that does not fit: never a silent skip.
    fn decode(event: &RecordedEvent) -> Result<Self, DecodeError>;

    /// The key of the event's stream.
    ///
    /// # Errors
    /// [`DecodeError::Key`] when the stream's key is not of this set's type.
    fn key(event: &RecordedEvent) -> Result<Self::Key, DecodeError>;

    /// The decoded event with its envelope.
    ///
    /// # Errors
    /// As [`Self::decode`] and [`Self::key`].
    fn recorded(event: &RecordedEvent) -> Result<Recorded<Self>, DecodeError> {
        Ok(Recorded {
            body: Self::decode(event)?,
            key: Self::key(event)?,
            position: event.position,
            version: event.version,
            id: event.id,
            recorded_at: event.recorded_at,
            metadata: event.metadata.clone(),
        })
    }
}
