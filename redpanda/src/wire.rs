//! An event as a message of the Kafka protocol, and back.
//!
//! Key: the stream id. Value: the payload, as stored. Everything else of the envelope is a header.

use bytes::Bytes;
use composable_rust_core::port::{BusError, Message};
use composable_rust_core::{
    EventId, Position, RawMetadata, RecordedEvent, SchemaVersion, StreamId, StreamVersion,
};
use jiff::Timestamp;
use rdkafka::message::{BorrowedMessage, Header, Headers as _, Message as _, OwnedHeaders};
use std::str::FromStr;
use std::sync::Arc;

/// The headers of each message. Numbers are decimal text.
pub mod headers {
    /// The event's id, a UUID (version 7). The same for each delivery of one event: consumers recognise repeats by it.
    pub const EVENT_ID: &str = "event-id";
    /// What happened, such as `order.Placed`.
    pub const EVENT_TYPE: &str = "event-type";
    /// The version of the payload's shape, from 1.
    pub const SCHEMA_VERSION: &str = "schema-version";
    /// The event's number in its stream, from 1.
    pub const STREAM_VERSION: &str = "stream-version";
    /// The event's place in the log of the application that published it.
    pub const POSITION: &str = "position";
    /// When it was recorded, in microseconds since 1970-01-01 UTC.
    pub const RECORDED_AT: &str = "recorded-at";
    /// Where it came from, as JSON: `correlation_id`, `causation_id`, `command_id`, `user_id`, `trace_parent`, `subject`
    /// and `custom`, each if it is known.
    pub const METADATA: &str = "metadata";
    /// The trace that the event belongs to, as W3C Trace Context has it, if it belongs to one: the same as in the
    /// metadata, where tracing tools look for it.
    pub const TRACE_PARENT: &str = "traceparent";
}

/// The headers of an event.
pub(crate) fn headers_of(event: &RecordedEvent) -> OwnedHeaders {
    let text = |key, value: &str| (key, value.to_owned());
    let mut all = OwnedHeaders::new_with_capacity(8);
    let micros = event.recorded_at.as_microsecond();
    for (key, value) in [
        text(headers::EVENT_ID, &event.id.to_string()),
        text(headers::EVENT_TYPE, &event.event_type),
        text(headers::SCHEMA_VERSION, &event.schema_version.get().to_string()),
        text(headers::STREAM_VERSION, &event.version.to_string()),
        text(headers::POSITION, &event.position.to_string()),
        text(headers::RECORDED_AT, &micros.to_string()),
    ] {
        all = all.insert(Header { key, value: Some(&value) });
    }
    let metadata = event.metadata.as_bytes();
    all = all.insert(Header { key: headers::METADATA, value: Some(&metadata[..]) });
    match event.metadata.decode().trace_parent {
        Some(trace) => all.insert(Header { key: headers::TRACE_PARENT, value: Some(&trace) }),
        None => all,
    }
}

/// How large a message is at most, with room for what the protocol adds.
pub(crate) fn size_of(event: &RecordedEvent) -> usize {
    event.content_bytes() + 2 * event.stream.as_str().len() + event.event_type.len() + 512
}

/// The message, or why it is none of ours.
///
/// # Errors
/// [`BusError::Malformed`].
pub(crate) fn read(topic: &str, message: &BorrowedMessage<'_>) -> Result<Message, BusError> {
    event_of(message).map(|event| Message { topic: topic.to_owned(), event: Arc::new(event) }).map_err(
        |reason| BusError::Malformed {
            topic: topic.to_owned(),
            partition: u32::try_from(message.partition()).unwrap_or_default(),
            offset: u64::try_from(message.offset()).unwrap_or_default(),
            reason,
        },
    )
}

fn event_of(message: &BorrowedMessage<'_>) -> Result<RecordedEvent, String> {
    let key = message.key().ok_or("it has no key, which would be the stream")?;
    let stream = std::str::from_utf8(key).map_err(|_| "its key is no text")?;
    let stream = stream.parse::<StreamId>().map_err(|error| format!("its key is no stream: {error}"))?;
    let payload = message.payload().ok_or("it has no value, which would be the payload")?;
    let micros = number::<i64>(message, headers::RECORDED_AT)?;
    let metadata = header(message, headers::METADATA).unwrap_or(b"{}");
    Ok(RecordedEvent {
        position: counter::<Position>(message, headers::POSITION)?,
        stream,
        version: counter::<StreamVersion>(message, headers::STREAM_VERSION)?,
        id: number::<EventId>(message, headers::EVENT_ID)?,
        event_type: text(message, headers::EVENT_TYPE)?.to_owned().into(),
        schema_version: SchemaVersion::new(number(message, headers::SCHEMA_VERSION)?),
        payload: Bytes::copy_from_slice(payload),
        metadata: RawMetadata::from_bytes(Bytes::copy_from_slice(metadata)),
        recorded_at: Timestamp::from_microsecond(micros)
            .map_err(|_| format!("its header {} is no time", headers::RECORDED_AT))?,
    })
}

fn counter<T: TryFrom<u64>>(message: &BorrowedMessage<'_>, name: &str) -> Result<T, String> {
    T::try_from(number(message, name)?).map_err(|_| format!("its header {name} is too large"))
}

fn number<T: FromStr>(message: &BorrowedMessage<'_>, name: &str) -> Result<T, String> {
    text(message, name)?.parse().map_err(|_| format!("its header {name} cannot be read"))
}

fn text<'a>(message: &'a BorrowedMessage<'_>, name: &str) -> Result<&'a str, String> {
    let value = header(message, name).ok_or_else(|| format!("it has no header {name}"))?;
    std::str::from_utf8(value).map_err(|_| format!("its header {name} is no text"))
}

fn header<'a>(message: &'a BorrowedMessage<'_>, name: &str) -> Option<&'a [u8]> {
    message.headers()?.iter().find(|header| header.key == name)?.value
}
