//! From stored bytes to events: typed errors that name the event, and the chain of upcasters.

use crate::{Position, RecordedEvent, SchemaVersion, StreamId, StreamVersion, panic_text};
use serde::de::{DeserializeOwned, Error as _};
use serde_json::Value;
use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Why a stored event, input or state cannot be read. The event is never skipped: the reader stops or parks it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The code does not know this type. Deploy a version that does, or restore the type's name.
    #[error("unknown event type {event_type:?}{place}")]
    UnknownType {
        /// The type found.
        event_type: String,
        /// Where.
        place: EventPlace,
    },
    /// The payload was written by newer code. Deploy that version here too.
    #[error(
        "{event_type:?} has schema version {found}, newer than {newest}, the newest that this code knows{place}"
    )]
    NewerSchema {
        /// The type.
        event_type: String,
        /// Its version.
        found: SchemaVersion,
        /// The newest one known.
        newest: SchemaVersion,
        /// Where.
        place: EventPlace,
    },
    /// The payload does not have the shape of its type and version. Fix it with an upcaster.
    #[error("the payload of {event_type:?} (schema version {schema}{}) does not fit its type{place}", raised(*.schema, *.raised_to))]
    Payload {
        /// The type.
        event_type: String,
        /// The version with which it was stored.
        schema: SchemaVersion,
        /// The version to which upcasters had brought it; the stored one where none was needed.
        raised_to: SchemaVersion,
        /// Where.
        place: EventPlace,
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
    /// An upcaster refused the payload.
    #[error("the upcaster of {event_type:?} from schema version {from} to {} failed{place}: {reason}", .from.get() + 1)]
    Upcast {
        /// The type.
        event_type: String,
        /// The version from which that upcaster raises by one.
        from: SchemaVersion,
        /// What it said.
        reason: String,
        /// Where.
        place: EventPlace,
    },
    /// The stream's key is not of the type that the reader expects.
    #[error("the key of the event's stream is not a {expected}{place}")]
    Key {
        /// The type expected.
        expected: &'static str,
        /// Where.
        place: EventPlace,
    },
}

impl DecodeError {
    /// The same error, said of `event`: its stream, its version there and its position in the log.
    #[must_use]
    pub fn at(mut self, event: &RecordedEvent) -> Self {
        let (Self::UnknownType { place, .. }
        | Self::NewerSchema { place, .. }
        | Self::Payload { place, .. }
        | Self::Upcast { place, .. }
        | Self::Key { place, .. }) = &mut self;
        *place = EventPlace::of(event);
        self
    }

    /// Whether other code wrote the event, such as a newer deployment: then nothing is wrong with the event, and this
    /// code should leave all of them to that.
    pub const fn is_foreign(&self) -> bool {
        match self {
            Self::UnknownType { .. } | Self::NewerSchema { .. } => true,
            Self::Payload { .. } | Self::Upcast { .. } | Self::Key { .. } => false,
        }
    }
}

/// Where an event that cannot be read is, as far as its reader knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventPlace(Option<Box<Known>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    stream: StreamId,
    recorded: Option<(StreamVersion, Position)>,
}

impl EventPlace {
    /// Somewhere in `stream`.
    pub fn within(stream: &StreamId) -> Self {
        Self(Some(Box::new(Known { stream: stream.clone(), recorded: None })))
    }

    /// The place of `event`.
    pub fn of(event: &RecordedEvent) -> Self {
        let recorded = Some((event.version, event.position));
        Self(Some(Box::new(Known { stream: event.stream.clone(), recorded })))
    }

    /// The stream.
    pub fn stream(&self) -> Option<&StreamId> {
        self.0.as_ref().map(|known| &known.stream)
    }

    /// The event's version in its stream.
    pub fn version(&self) -> Option<StreamVersion> {
        self.0.as_ref()?.recorded.map(|(version, _)| version)
    }

    /// The event's position in the log.
    pub fn position(&self) -> Option<Position> {
        self.0.as_ref()?.recorded.map(|(_, position)| position)
    }
}

impl fmt::Display for EventPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Known { stream, recorded }) = self.0.as_deref() else { return Ok(()) };
        match recorded {
            Some((version, position)) => write!(f, " (event {version} of {stream}, position {position})"),
            None => write!(f, " (in {stream})"),
        }
    }
}

/// How far upcasters had come with a payload.
fn raised(stored: SchemaVersion, to: SchemaVersion) -> String {
    if stored == to { String::new() } else { format!(", raised to {to} by upcasters") }
}

/// Brings a payload from one schema version to the next. An error's text says what is wrong with the payload.
pub type Upcaster = fn(Value) -> Result<Value, String>;

/// Decodes a payload of `schema` as `P`, whose version is one more than there are upcasters. Used by `#[derive(Action)]`.
///
/// # Errors
/// [`DecodeError::NewerSchema`], [`DecodeError::Upcast`] or [`DecodeError::Payload`].
pub fn decode_payload<P: DeserializeOwned>(
    event_type: &str,
    schema: SchemaVersion,
    upcasters: &[Upcaster],
    payload: &[u8],
) -> Result<P, DecodeError> {
    let place = EventPlace::default;
    let failed = |raised_to| {
        move |source| {
            let event_type = event_type.to_owned();
            DecodeError::Payload { event_type, schema, raised_to, place: place(), source }
        }
    };
    let done = (schema.get() - 1) as usize;
    if done == upcasters.len() {
        let read = || serde_json::from_slice(payload);
        return caught(read, serde_json::Error::custom).map_err(failed(schema));
    }
    let newest = SchemaVersion::new(u32::try_from(upcasters.len() + 1).unwrap_or(u32::MAX));
    let Some(chain) = upcasters.get(done..) else {
        let event_type = event_type.to_owned();
        return Err(DecodeError::NewerSchema { event_type, found: schema, newest, place: place() });
    };
    let mut value: Value = serde_json::from_slice(payload).map_err(failed(schema))?;
    for (from, upcast) in (schema.get()..).zip(chain) {
        value = caught(|| upcast(value), |reason| reason).map_err(|reason| DecodeError::Upcast {
            event_type: event_type.to_owned(),
            from: SchemaVersion::new(from),
            reason,
            place: place(),
        })?;
    }
    caught(|| serde_json::from_value(value), serde_json::Error::custom).map_err(failed(newest))
}

/// A panic of the user's code is an error of the one event that it met, not the end of the reader.
fn caught<T, E>(work: impl FnOnce() -> Result<T, E>, error: impl FnOnce(String) -> E) -> Result<T, E> {
    let panicked = |panic: Box<dyn Any + Send>| Err(error(format!("it panicked: {}", panic_text(&*panic))));
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(panicked)
}
