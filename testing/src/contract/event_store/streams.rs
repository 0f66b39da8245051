//! Reading one stream.

use crate::contract::fixture::{Fixture, append_to, body_of, exactly, stream};
use composable_rust_core::port::{Direction, MAX_PAYLOAD_BYTES, PAGE_BYTES, StreamRange};
use composable_rust_core::{RecordedEvent, StreamId, StreamVersion};
use futures_util::TryStreamExt;

async fn read(fixture: &Fixture, key: &str, range: StreamRange) -> Vec<u64> {
    let events = fixture.storage.events.read_stream(&stream(key), range).await.expect("a read");
    assert!(events.iter().all(|event| event.stream == stream(key)), "events of another stream");
    events.iter().map(|event| event.version.get()).collect()
}

fn before(version: u32, limit: usize) -> StreamRange {
    let boundary = StreamVersion::from(version);
    StreamRange { boundary, direction: Direction::Backwards, ..StreamRange::latest(limit) }
}

fn after(version: u32, limit: usize) -> StreamRange {
    StreamRange::after(StreamVersion::from(version), limit)
}

/// A stream that never was has version zero and no events, in every way of reading.
pub async fn an_unknown_stream_is_empty(fixture: Fixture) {
    fixture.append("a", 1).await;
    assert_eq!(fixture.version("b").await, 0);
    assert!(read(&fixture, "b", after(0, 10)).await.is_empty());
    assert!(read(&fixture, "b", StreamRange::latest(10)).await.is_empty());
    let loaded: Vec<RecordedEvent> = fixture
        .storage
        .events
        .load_events(&stream("b"), StreamVersion::ZERO)
        .try_collect()
        .await
        .expect("an empty stream");
    assert!(loaded.is_empty());
}

/// Forwards: after the boundary, oldest first.
pub async fn a_stream_is_read_forwards_after_a_version(fixture: Fixture) {
    fixture.append("a", 6).await;
    assert_eq!(read(&fixture, "a", after(0, 100)).await, [1, 2, 3, 4, 5, 6]);
    assert_eq!(read(&fixture, "a", after(4, 100)).await, [5, 6]);
    assert_eq!(read(&fixture, "a", after(2, 3)).await, [3, 4, 5]);
    assert!(read(&fixture, "a", after(6, 100)).await.is_empty());
    assert!(read(&fixture, "a", after(60, 100)).await.is_empty());
}

/// Backwards: before the boundary, newest first.
pub async fn a_stream_is_read_backwards_before_a_version(fixture: Fixture) {
    fixture.append("a", 6).await;
    assert_eq!(read(&fixture, "a", StreamRange::latest(100)).await, [6, 5, 4, 3, 2, 1]);
    assert_eq!(read(&fixture, "a", StreamRange::latest(2)).await, [6, 5]);
    assert_eq!(read(&fixture, "a", before(4, 100)).await, [3, 2, 1]);
    assert_eq!(read(&fixture, "a", before(4, 2)).await, [3, 2]);
    assert!(read(&fixture, "a", before(1, 100)).await.is_empty());
    assert!(read(&fixture, "a", before(0, 100)).await.is_empty());
}

/// Any limit is allowed, from none to more than a column can hold.
pub async fn limits_of_0_1_and_more_than_there_is(fixture: Fixture) {
    fixture.append("a", 4).await;
    assert!(read(&fixture, "a", after(0, 0)).await.is_empty());
    assert!(read(&fixture, "a", StreamRange::latest(0)).await.is_empty());
    assert_eq!(read(&fixture, "a", after(0, 1)).await, [1]);
    assert_eq!(read(&fixture, "a", StreamRange::latest(1)).await, [4]);
    assert_eq!(read(&fixture, "a", after(0, usize::MAX)).await, [1, 2, 3, 4]);
    assert_eq!(read(&fixture, "a", StreamRange::latest(usize::MAX)).await, [4, 3, 2, 1]);
    assert!(read(&fixture, "a", StreamRange::after(StreamVersion::MAX, usize::MAX)).await.is_empty());
}

/// Names are compared byte by byte: no case folding, wildcards, trimming or normalisation.
pub async fn streams_with_similar_names_are_apart(fixture: Fixture) {
    let keys = ["a", "A", "a ", "a/", "a%", "a_", "ab", "á", "a\u{301}", "'a'"];
    for (count, key) in keys.iter().enumerate() {
        fixture.append(key, count + 1).await;
    }
    for (count, key) in keys.iter().enumerate() {
        assert_eq!(fixture.version(key).await, count as u64 + 1, "stream {key:?}");
        assert_eq!(read(&fixture, key, after(0, 100)).await.len(), count + 1, "events of {key:?}");
    }
    let elsewhere = StreamId::new("contracts", "a").expect("a stream id");
    fixture.append_to(elsewhere, 1).await;
    assert_eq!(fixture.version("a").await, 1);
}

/// In both directions: at least one event, and never more than one over the limit.
pub async fn a_page_of_a_stream_ends_with_the_event_that_fills_its_bytes(fixture: Fixture) {
    let events = (0..12).map(|n| fixture.event(&"x".repeat(100 * n))).collect();
    fixture.storage.events.append(append_to("a", exactly(0), events)).await.expect("twelve events");
    for range in [after(0, 100), StreamRange::latest(100)] {
        let whole = fixture.storage.events.read_stream(&stream("a"), range).await.expect("a read");
        assert_eq!((whole.len(), range.is_filled_by(&whole)), (12, false));
        for count in 1..=12 {
            let held: usize = whole[..count].iter().map(RecordedEvent::content_bytes).sum();
            for max_bytes in [held - 1, held] {
                let range = StreamRange { max_bytes, ..range };
                let page = fixture.storage.events.read_stream(&stream("a"), range).await.expect("a read");
                assert_eq!(page, whole[..count], "{max_bytes} of {held} bytes");
                assert!(range.is_filled_by(&page));
            }
        }
        let nothing = StreamRange { max_bytes: 0, ..range };
        assert_eq!(read(&fixture, "a", nothing).await.len(), 1);
    }
}

/// Pages that end by bytes are not taken for the end of the stream.
pub async fn load_events_reads_large_events_to_the_end(fixture: Fixture) {
    for version in 0..12 {
        let event = fixture.event(&"x".repeat(MAX_PAYLOAD_BYTES - 100));
        fixture.storage.events.append(append_to("a", exactly(version), vec![event])).await.expect("an event");
    }
    let whole = fixture.storage.events.read_stream(&stream("a"), after(0, 100)).await.expect("a read");
    assert!(whole.len() < 12, "more than {PAGE_BYTES} bytes are read in pages");
    let stream = stream("a");
    let events = fixture.storage.events.load_events(&stream, StreamVersion::ZERO);
    let versions: Vec<u64> = events.map_ok(|event| event.version.get()).try_collect().await.expect("events");
    assert_eq!(versions, (1..=12).collect::<Vec<_>>());
}

async fn append_3000(fixture: &Fixture) {
    for hundred in 0..30_u32 {
        let bodies = (1..=100).map(|n| fixture.event(&(hundred * 100 + n).to_string())).collect();
        let append = append_to("long", exactly(hundred * 100), bodies);
        fixture.storage.events.append(append).await.expect("a hundred events");
        fixture.append("other", 1).await;
    }
}

/// A stream longer than any page is loaded whole, in order.
pub async fn load_events_reads_3000_events_in_order(fixture: Fixture) {
    append_3000(&fixture).await;
    let stream = stream("long");
    let mut events = fixture.storage.events.load_events(&stream, StreamVersion::ZERO);
    let mut number = 0;
    while let Some(event) = events.try_next().await.expect("an event") {
        number += 1;
        assert_eq!(event.version.get(), number);
        assert_eq!(body_of(&event.payload), number.to_string());
    }
    assert_eq!(number, 3_000);
}

/// Loading goes on where a snapshot ends, at the edges of pages too.
pub async fn load_events_starts_after_the_version(fixture: Fixture) {
    append_3000(&fixture).await;
    for start in [952, 976, 1_975, 1_976, 1_977, 2_999, 3_000] {
        let stream = stream("long");
        let events = fixture.storage.events.load_events(&stream, StreamVersion::from(start));
        let versions: Vec<u64> =
            events.map_ok(|event| event.version.get()).try_collect().await.expect("events");
        assert_eq!(versions, (u64::from(start) + 1..=3_000).collect::<Vec<_>>(), "after {start}");
    }
}
