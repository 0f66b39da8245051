//! One append: versions, atomicity, limits, what is stored.

use crate::contract::fixture::{Fixture, append_to, exactly, refusal, stream};
use bytes::Bytes;
use composable_rust_core::port::{Append, AppendError, MAX_PAYLOAD_BYTES, StreamAppend, StreamRange};
use composable_rust_core::{
    EventMetadata, ExpectedVersion, NewEvent, Position, SchemaVersion, StreamVersion, UserId,
};
use std::time::Duration;

/// The first version is 1, the first position at least 1, and the answer tells both.
pub async fn a_first_event_has_version_1_and_a_position_of_at_least_1(fixture: Fixture) {
    let appended = fixture.append("a", 1).await;
    assert!(appended.position >= Position::from(1));
    assert_eq!(appended.streams.len(), 1);
    assert_eq!(appended.streams[0].stream, stream("a"));
    assert_eq!(appended.streams[0].before, StreamVersion::ZERO);
    assert_eq!(appended.streams[0].after, StreamVersion::from(1));
    let events =
        fixture.storage.events.read_stream(&stream("a"), StreamRange::latest(10)).await.expect("a read");
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].version, StreamVersion::from(1));
    assert_eq!(events[0].position, appended.position);
}

/// Every field of the envelope comes back, for any stream key, payload and metadata.
pub async fn an_event_comes_back_as_it_was_written(fixture: Fixture) {
    let metadata = EventMetadata {
        user_id: Some(UserId::from_uuid(fixture.environment.new_id())),
        trace_parent: Some("00-ab-cd-01".into()),
        custom: [("naïve 'key'".to_owned(), "value \"with\" \\ 🎟".to_owned())].into(),
        ..EventMetadata::default()
    };
    let event = NewEvent {
        event_type: "contract.Übergeben".into(),
        schema_version: SchemaVersion::new(7),
        payload: Bytes::from_static("{\"text\":\"O'Brien; DROP TABLE events; -- 🎟\\u0000\"}".as_bytes()),
        metadata: metadata.encode(),
        ..fixture.event("")
    };
    let key = "50% of O'Brien's/käse_🎟";
    let append = append_to(key, ExpectedVersion::NoStream, vec![event.clone()]);
    let appended = fixture.storage.events.append(append).await.expect("an append");
    let read =
        fixture.storage.events.read_stream(&stream(key), StreamRange::latest(1)).await.expect("a read");
    let read = &read[0];
    assert_eq!(read.stream, stream(key));
    assert_eq!(read.id, event.id);
    assert_eq!(read.event_type, event.event_type);
    assert_eq!(read.schema_version, event.schema_version);
    assert_eq!(read.payload, event.payload);
    assert_eq!(read.metadata.decode(), metadata);
    assert_eq!(read.recorded_at, appended.recorded_at);
}

/// A conflict names the stream, what was expected and what is; nothing is written.
pub async fn a_version_conflict_is_typed_and_writes_nothing(fixture: Fixture) {
    fixture.append("a", 2).await;
    for believed in [0, 1, 3] {
        let append = append_to("a", exactly(believed), fixture.events(1));
        match refusal(fixture.storage.events.append(append).await) {
            AppendError::Conflict { stream: refused, expected, actual } => {
                assert_eq!(refused, stream("a"));
                assert_eq!(expected, exactly(believed));
                assert_eq!(actual, StreamVersion::from(2));
            }
            other => panic!("expected a conflict, got {other:?}"),
        }
    }
    assert_eq!(fixture.version("a").await, 2);
    assert_eq!(fixture.bodies("a").await, ["1", "2"]);
}

/// `NoStream` holds only for a stream without events.
pub async fn expected_no_stream_refuses_an_existing_one(fixture: Fixture) {
    let append = || append_to("a", ExpectedVersion::NoStream, fixture.events(1));
    fixture.storage.events.append(append()).await.expect("a new stream");
    let refused = refusal(fixture.storage.events.append(append()).await);
    assert!(matches!(refused, AppendError::Conflict { actual, .. } if actual == StreamVersion::from(1)));
    assert_eq!(fixture.version("a").await, 1);
}

/// `Exists` holds only for a stream with events.
pub async fn expected_exists_refuses_an_unknown_stream(fixture: Fixture) {
    let append = || append_to("a", ExpectedVersion::Exists, fixture.events(1));
    let refused = refusal(fixture.storage.events.append(append()).await);
    assert!(matches!(refused, AppendError::Conflict { actual, .. } if actual == StreamVersion::ZERO));
    assert_eq!(fixture.version("a").await, 0);
    fixture.append("a", 1).await;
    fixture.storage.events.append(append()).await.expect("the stream exists now");
    assert_eq!(fixture.version("a").await, 2);
}

/// `Any` appends to a new stream and to one of any version.
pub async fn expected_any_appends_after_whatever_is_there(fixture: Fixture) {
    let first = fixture.append("a", 3).await;
    let second = fixture.append("a", 2).await;
    assert_eq!(second.streams[0].before, StreamVersion::from(3));
    assert_eq!(second.streams[0].after, StreamVersion::from(5));
    assert!(second.position > first.position);
}

/// The streams of one append, with a different number of events each.
fn over_three_streams(fixture: &Fixture, last: ExpectedVersion) -> Append {
    let part =
        |key, expected, count| StreamAppend { stream: stream(key), expected, events: fixture.events(count) };
    Append {
        streams: [
            part("z", ExpectedVersion::NoStream, 2),
            part("a", ExpectedVersion::Any, 1),
            part("m", last, 3),
        ]
        .into_iter()
        .collect(),
        ..Append::default()
    }
}

/// All streams of an append are written; the answer lists them in the order given.
pub async fn an_append_to_several_streams_is_written_whole(fixture: Fixture) {
    fixture.append("a", 4).await;
    let append = over_three_streams(&fixture, exactly(0));
    let appended = fixture.storage.events.append(append).await.expect("an append");
    let written: Vec<_> = appended
        .streams
        .iter()
        .map(|written| (written.stream.key().to_owned(), written.before.get(), written.after.get()))
        .collect();
    assert_eq!(written, [("z".to_owned(), 0, 2), ("a".to_owned(), 4, 5), ("m".to_owned(), 0, 3)]);
    for (key, version) in [("z", 2), ("a", 5), ("m", 3)] {
        assert_eq!(fixture.version(key).await, version, "stream {key}");
        assert_eq!(fixture.bodies(key).await.len() as u64, version, "events of {key}");
    }
}

/// One wrong version refuses all streams of the append.
pub async fn an_append_to_several_streams_is_refused_whole(fixture: Fixture) {
    fixture.append("a", 4).await;
    let append = over_three_streams(&fixture, exactly(9));
    match refusal(fixture.storage.events.append(append).await) {
        AppendError::Conflict { stream: refused, .. } => assert_eq!(refused, stream("m")),
        other => panic!("expected a conflict, got {other:?}"),
    }
    for (key, version) in [("z", 0), ("a", 4), ("m", 0)] {
        assert_eq!(fixture.version(key).await, version, "stream {key}");
        assert_eq!(fixture.bodies(key).await.len() as u64, version, "events of {key}");
    }
}

/// An append may only check a version: it writes nothing, and conflicts like any other.
pub async fn an_append_without_events_checks_the_version_only(fixture: Fixture) {
    fixture.append("a", 2).await;
    let appended = fixture
        .storage
        .events
        .append(append_to("a", exactly(2), Vec::new()))
        .await
        .expect("the version is right");
    assert_eq!(appended.streams[0].before, StreamVersion::from(2));
    assert_eq!(appended.streams[0].after, StreamVersion::from(2));
    let refused = refusal(fixture.storage.events.append(append_to("a", exactly(1), Vec::new())).await);
    assert!(matches!(refused, AppendError::Conflict { .. }), "got {refused:?}");
    fixture
        .storage
        .events
        .append(append_to("never", ExpectedVersion::NoStream, Vec::new()))
        .await
        .expect("an unknown stream has no events");
    assert_eq!(fixture.version("a").await, 2);
    assert_eq!(fixture.version("never").await, 0);
}

/// A reader that waits for the position of an append without events sees all that it was decided on.
pub async fn an_append_without_events_has_a_position_after_what_was_read(fixture: Fixture) {
    fixture.append("a", 2).await;
    let newest = fixture.append("b", 1).await.position;
    let appended = fixture
        .storage
        .events
        .append(append_to("a", exactly(2), Vec::new()))
        .await
        .expect("the version is right");
    assert!(appended.position >= newest, "{} is before {newest}", appended.position);
    let next = fixture.append("a", 1).await;
    assert!(next.position > appended.position, "the position belongs to an event still to come");
}

/// The limit is inclusive; what is larger is refused before anything else and writes nothing.
pub async fn a_payload_of_the_limit_is_kept_and_a_larger_one_refused(fixture: Fixture) {
    let sized = |bytes: usize| NewEvent { payload: vec![b'7'; bytes].into(), ..fixture.event("") };
    let append = append_to("a", ExpectedVersion::Any, vec![sized(MAX_PAYLOAD_BYTES)]);
    fixture.storage.events.append(append).await.expect("a payload of exactly the limit");
    let events = vec![fixture.event("small"), sized(MAX_PAYLOAD_BYTES + 1)];
    match refusal(fixture.storage.events.append(append_to("a", exactly(9), events)).await) {
        AppendError::PayloadTooLarge { stream: refused, bytes } => {
            assert_eq!(refused, stream("a"));
            assert_eq!(bytes, MAX_PAYLOAD_BYTES + 1);
        }
        other => panic!("expected a payload that is too large, got {other:?}"),
    }
    let kept =
        fixture.storage.events.read_stream(&stream("a"), StreamRange::latest(9)).await.expect("a read");
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].payload.len(), MAX_PAYLOAD_BYTES);
}

/// `recorded_at` is the time of the store's clock, to the microsecond.
pub async fn the_store_records_its_own_time(fixture: Fixture) {
    fixture.clock.advance(Duration::from_micros(1_234_567));
    let appended = fixture.append("a", 1).await;
    assert_eq!(appended.recorded_at, fixture.now());
    fixture.clock.advance(Duration::from_mins(1));
    let events =
        fixture.storage.events.read_stream(&stream("a"), StreamRange::latest(1)).await.expect("a read");
    assert_eq!(events[0].recorded_at, appended.recorded_at);
}

/// What was answered is durable; numbering goes on where it was.
pub async fn appended_events_survive_a_restart(mut fixture: Fixture) {
    let before = fixture.append("a", 3).await;
    fixture.restart().await;
    assert_eq!(fixture.bodies("a").await, ["1", "2", "3"]);
    assert_eq!(fixture.storage.events.signal().position(), before.position);
    let after = fixture.append("a", 1).await;
    assert!(after.position > before.position);
    assert_eq!(after.streams[0].after, StreamVersion::from(4));
}
