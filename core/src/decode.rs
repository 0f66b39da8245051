//! From stored bytes to events: typed errors and the chain of upcasters.

use crate::{SchemaVersion, StreamId};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Why a stored event, input or state cannot be read. The event is never skipped: the reader stops or parks it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The code does not know this type. Deploy a version that does, or restore the type's name.
    #[error("unknown event type {event_type:?} in stream {stream}")]
    UnknownType {
        /// The type found.
        event_type: String,
        /// Where.
        stream: StreamId,
    },
    /// The payload was written by newer code. Deploy that version here too.
    #[error(
        "event type {event_type:?} has schema version {found}, newer than {newest}, the newest that this code knows"
    )]
    NewerSchema {
        /// The type.
        event_type: String,
        /// Its version.
        found: SchemaVersion,
        /// The newest one known.
        newest: SchemaVersion,
    },
    /// The payload does not have the shape of its type and version. Fix it with an upcaster.
    #[error("the payload of {event_type:?} (schema version {schema}) does not fit its type")]
    Payload {
        /// The type.
        event_type: String,
        /// Its version.
        schema: SchemaVersion,
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
    /// An upcaster refused the payload.
    #[error("{event_type:?} cannot be brought from schema version {from} to {}: {reason}", .from.get() + 1)]
    Upcast {
        /// The type.
        event_type: String,
        /// The version that it came from.
        from: SchemaVersion,
        /// What the upcaster said.
        reason: String,
    },
    /// The stream's key is not of the type that the reader expects.
    #[error("the key of stream {stream} is not a {expected}")]
    Key {
        /// The stream.
        stream: StreamId,
        /// The type expected.
        expected: &'static str,
    },
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
    let failed = |source| DecodeError::Payload { event_type: event_type.to_owned(), schema, source };
    let done = (schema.get() - 1) as usize;
    if done == upcasters.len() {
        return serde_json::from_slice(payload).map_err(failed);
    }
    let Some(chain) = upcasters.get(done..) else {
        let newest = SchemaVersion::new(u32::try_from(upcasters.len() + 1).unwrap_or(u32::MAX));
        return Err(DecodeError::NewerSchema { event_type: event_type.to_owned(), found: schema, newest });
    };
    let mut value: Value = serde_json::from_slice(payload).map_err(failed)?;
    for (from, upcast) in (schema.get()..).zip(chain) {
        value = upcast(value).map_err(|reason| DecodeError::Upcast {
            event_type: event_type.to_owned(),
            from: SchemaVersion::new(from),
            reason,
        })?;
    }
    serde_json::from_value(value).map_err(failed)
}
