//! Strategies for property tests: ids, versions, envelopes and sequences of commands.
//!
//! They draw what the types allow, edges included. What is allowed in an application (amounts, names) is its own
//! business: give its command strategy to [`commands`].

use crate::spec::START;
use bytes::Bytes;
use composable_rust_core::{
    CausationId, CommandId, CorrelationId, EventId, EventMetadata, EventType, ExpectedVersion, NewEvent,
    Position, RecordedEvent, SchemaVersion, StreamId, StreamVersion, UserId, later, uuid_v7,
};
use jiff::Timestamp;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use std::time::Duration;
use uuid::Uuid;

/// Categories: 1 to 64 of the characters allowed.
pub fn categories() -> impl Strategy<Value = String> + Clone {
    prop_oneof![8 => "[a-z][a-z0-9_.-]{0,11}", 1 => "[a-z0-9_.-]{64}"]
}

/// Keys of streams: 1 to 200 bytes without control characters, also with `/` and beyond ASCII.
pub fn keys() -> impl Strategy<Value = String> + Clone {
    prop_oneof![8 => "[a-zA-Z0-9-]{1,20}", 3 => "[^\\p{Cc}]{1,50}", 1 => "[a-z/]{200}"]
}

/// Stream ids.
pub fn stream_ids() -> impl Strategy<Value = StreamId> + Clone {
    let id = |(category, key): (String, String)| StreamId::new(&category, &key).ok();
    (categories(), keys()).prop_filter_map("a valid stream id", id)
}

/// Versions of a stream, from zero; small ones mostly.
pub fn stream_versions() -> impl Strategy<Value = StreamVersion> + Clone {
    prop_oneof![
        8 => (0_u32..1_000).prop_map(StreamVersion::from),
        1 => (0..=i64::MAX).prop_map(StreamVersion::from_i64),
        1 => select(vec![StreamVersion::ZERO, StreamVersion::MAX]),
    ]
}

/// Positions in the log, from zero; small ones mostly.
pub fn positions() -> impl Strategy<Value = Position> + Clone {
    prop_oneof![
        8 => (0_u32..10_000).prop_map(Position::from),
        1 => (0..=i64::MAX).prop_map(Position::from_i64),
        1 => select(vec![Position::ZERO, Position::MAX]),
    ]
}

/// Schema versions, from 1.
pub fn schema_versions() -> impl Strategy<Value = SchemaVersion> + Clone {
    (1_u32..20).prop_map(SchemaVersion::new)
}

/// Every kind of belief about a stream's version.
pub fn expected_versions() -> impl Strategy<Value = ExpectedVersion> + Clone {
    prop_oneof![
        select(vec![ExpectedVersion::Any, ExpectedVersion::NoStream, ExpectedVersion::Exists]),
        stream_versions().prop_map(ExpectedVersion::Exact),
    ]
}

/// Times between 2000 and 2100, to the microsecond, as stores keep them.
pub fn timestamps() -> impl Strategy<Value = Timestamp> + Clone {
    let micros = 946_684_800_000_000_i64..4_102_444_800_000_000;
    micros.prop_filter_map("a time", |micros| Timestamp::from_microsecond(micros).ok())
}

/// Fresh ids (`UUIDv7`) of any time.
pub fn uuids() -> impl Strategy<Value = Uuid> + Clone {
    (timestamps(), any::<u16>(), any::<u64>()).prop_map(|(time, high, low)| uuid_v7(time, high, low))
}

/// Ids of events.
pub fn event_ids() -> impl Strategy<Value = EventId> + Clone {
    uuids().prop_map(EventId::from_uuid)
}

/// Ids of commands.
pub fn command_ids() -> impl Strategy<Value = CommandId> + Clone {
    uuids().prop_map(CommandId::from_uuid)
}

/// Metadata with any of its parts.
pub fn metadata() -> impl Strategy<Value = EventMetadata> + Clone {
    let ids = (option::of(uuids()), option::of(uuids()), option::of(uuids()), option::of(uuids()));
    let texts = (option::of("[0-9a-f]{2}-[0-9a-f]{32}"), option::of("[a-z]{1,12}"));
    (ids, texts, btree_map("[a-z]{1,8}", ".{0,12}", 0..3)).prop_map(|(ids, texts, custom)| EventMetadata {
        correlation_id: ids.0.map(CorrelationId::from_uuid),
        causation_id: ids.1.map(CausationId::from_uuid),
        command_id: ids.2.map(CommandId::from_uuid),
        user_id: ids.3.map(UserId::from_uuid),
        trace_parent: texts.0,
        subject: texts.1,
        custom,
    })
}

/// Names of event types.
pub fn event_types() -> impl Strategy<Value = EventType> + Clone {
    (categories(), "[A-Z][a-zA-Z]{1,12}").prop_map(|(category, name)| format!("{category}.{name}").into())
}

/// Payloads: JSON as events have it, objects mostly.
pub fn payloads() -> impl Strategy<Value = Bytes> + Clone {
    let object =
        btree_map("[a-z_]{1,8}", any::<i32>(), 0..4).prop_map(|fields| serde_json::json!(fields).to_string());
    let text = ".{0,20}".prop_map(|text| serde_json::json!(text).to_string());
    prop_oneof![6 => object, 1 => text, 1 => Just("null".to_owned())].prop_map(Bytes::from)
}

/// Events about to be appended.
pub fn new_events() -> impl Strategy<Value = NewEvent> + Clone {
    (event_ids(), event_types(), schema_versions(), payloads(), metadata()).prop_map(
        |(id, event_type, schema_version, payload, metadata)| NewEvent {
            id,
            event_type,
            schema_version,
            payload,
            metadata: metadata.encode(),
        },
    )
}

/// Events as the log holds them.
pub fn recorded_events() -> impl Strategy<Value = RecordedEvent> + Clone {
    (new_events(), stream_ids(), stream_versions(), positions(), timestamps()).prop_map(
        |(event, stream, version, position, recorded_at)| RecordedEvent {
            position,
            stream,
            version,
            id: event.id,
            event_type: event.event_type,
            schema_version: event.schema_version,
            payload: event.payload,
            metadata: event.metadata,
            recorded_at,
        },
    )
}

/// A command with the context in which it is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued<C> {
    /// The command.
    pub command: C,
    /// When.
    pub now: Timestamp,
    /// Its id.
    pub id: CommandId,
}

/// The id of the `number`-th command, from 1, of every sequence that [`commands`] draws. What that command makes has ids
/// derived from it, so a strategy can aim a later command at them: `Context::new(START, issued_id(3)).id(0)`.
pub fn issued_id(number: u32) -> CommandId {
    CommandId::from_uuid(uuid_v7(START, 2, u64::from(number)))
}

/// Up to `at_most` commands of `one`, one after the other: times never go back, and ids are [`issued_id`]s.
pub fn commands<C: std::fmt::Debug>(
    one: impl Strategy<Value = C>,
    at_most: usize,
) -> impl Strategy<Value = Vec<Issued<C>>> {
    let pause = prop_oneof![4 => 0_u64..1_000, 1 => 0_u64..3_600_000];
    vec((one, pause), 0..=at_most).prop_map(|drawn| {
        let mut now = START;
        let issued = (1..).zip(drawn).map(|(number, (command, pause))| {
            now = later(now, Duration::from_millis(pause));
            Issued { command, now, id: issued_id(number) }
        });
        issued.collect()
    })
}
