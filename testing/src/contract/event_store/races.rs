//! Many at once: one winner per version, one write per command, and followers that miss nothing.

use crate::contract::fixture::{Fixture, append_to, body_of, exactly, stream};
use composable_rust_core::port::{Append, AppendError, CommandKey, EventStore, LogQuery, StreamAppend};
use composable_rust_core::{CommandId, ExpectedVersion, Position, RecordedEvent, StreamId};
use futures_util::future::poll_immediate;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::task::JoinSet;

/// Of 20 appends at the same version exactly one is written; the others are conflicts.
pub async fn of_many_appends_at_one_version_one_succeeds(fixture: Fixture) {
    for round in 0..10_u32 {
        let mut racing = JoinSet::new();
        for n in 0..20 {
            let events = Arc::clone(&fixture.storage.events);
            let append = append_to("a", exactly(round), vec![fixture.event(&format!("{round}-{n}"))]);
            racing.spawn(async move { events.append(append).await });
        }
        let (mut won, mut lost) = (0, 0);
        for result in racing.join_all().await {
            match result {
                Ok(_) => won += 1,
                Err(AppendError::Conflict { .. }) => lost += 1,
                Err(other) => panic!("a race is a conflict, not {other:?}"),
            }
        }
        assert_eq!((won, lost), (1, 19), "round {round}");
        assert_eq!(fixture.version("a").await, u64::from(round) + 1);
    }
}

/// Of 20 concurrent uses of one command id one is written; the others get its record.
pub async fn of_many_repeats_of_a_command_one_is_written(fixture: Fixture) {
    let id = CommandId::derived(&["contract", "race"]);
    let mut racing = JoinSet::new();
    for n in 0..20 {
        let events = Arc::clone(&fixture.storage.events);
        let append = append_to(&format!("s{n}"), ExpectedVersion::Any, fixture.events(1))
            .answering(CommandKey { id, fingerprint: None, keep: None });
        racing.spawn(async move { events.append(append).await });
    }
    let (mut first, mut repeated) = (Vec::new(), Vec::new());
    for result in racing.join_all().await {
        match result {
            Ok(appended) => first.push(appended),
            Err(AppendError::Duplicate(record)) => repeated.push(record.appended),
            Err(other) => panic!("a repeat is a duplicate, not {other:?}"),
        }
    }
    assert_eq!((first.len(), repeated.len()), (1, 19));
    assert!(repeated.iter().all(|appended| *appended == first[0]), "all get the first record");
    let whole = LogQuery::after(Position::ZERO, 100);
    assert_eq!(fixture.storage.events.read_log(whole).await.expect("a page").events.len(), 1);
}

/// Two appenders that name the same streams in opposite orders both come through, again and again.
pub async fn appends_to_overlapping_streams_in_any_order_do_not_block_each_other(fixture: Fixture) {
    let mut appending = JoinSet::new();
    for n in 0..40_usize {
        let mut keys = ["a", "b", "c", "d"];
        keys.rotate_left(n % 4);
        if n % 2 == 0 {
            keys.reverse();
        }
        let streams = keys.map(|key| StreamAppend {
            stream: stream(key),
            expected: ExpectedVersion::Any,
            events: fixture.events(1),
        });
        let append = Append { streams: streams.into_iter().collect(), ..Append::default() };
        let events = Arc::clone(&fixture.storage.events);
        appending.spawn(async move { events.append(append).await });
    }
    for result in appending.join_all().await {
        result.expect("an append to any version");
    }
    for key in ["a", "b", "c", "d"] {
        assert_eq!(fixture.version(key).await, 40, "stream {key}");
    }
}

const APPENDERS: usize = 8;
const APPENDS: usize = 30;

/// Starts appenders that write to streams of their own and to shared ones, alone and several at once; some are
/// refused. Each takes its count from `running` when it has finished.
fn start_appenders(fixture: &Fixture, running: &Arc<AtomicUsize>) -> JoinSet<usize> {
    let mut appending = JoinSet::new();
    for appender in 0..APPENDERS {
        let appends: Vec<Append> = (0..APPENDS).map(|n| racing_append(fixture, appender, n)).collect();
        let (events, running) = (Arc::clone(&fixture.storage.events), Arc::clone(running));
        appending.spawn(async move {
            let mut written = 0;
            for append in appends {
                let count: usize = append.streams.iter().map(|part| part.events.len()).sum();
                written += events.append(append).await.map_or(0, |_| count);
            }
            running.fetch_sub(1, Ordering::SeqCst);
            written
        });
    }
    appending
}

fn racing_append(fixture: &Fixture, appender: usize, n: usize) -> Append {
    let category = ["red", "green"][appender % 2];
    let own = StreamId::new(category, &format!("own-{appender}")).expect("a stream id");
    let shared = StreamId::new("red", &format!("shared-{}", n % 3)).expect("a stream id");
    let part = |stream, expected, count: usize| {
        let events = (0..count).map(|i| fixture.event(&format!("{appender}-{n}-{i}"))).collect();
        StreamAppend { stream, expected, events }
    };
    let streams = match n % 5 {
        0 => vec![part(shared, ExpectedVersion::Any, 1), part(own, ExpectedVersion::Any, 2)],
        1 => vec![part(shared, ExpectedVersion::Any, 2)],
        2 => vec![part(own, exactly(99_999), 3)],
        _ => vec![part(own, ExpectedVersion::Any, n % 4 + 1)],
    };
    Append { streams: streams.into_iter().collect(), ..Append::default() }
}

/// Follows the log until all appenders have finished and the end was reached.
async fn follow(
    events: Arc<dyn EventStore>,
    running: Arc<AtomicUsize>,
    categories: Option<Vec<String>>,
    limit: usize,
) -> Vec<RecordedEvent> {
    let (mut after, mut seen) = (Position::ZERO, Vec::new());
    loop {
        let finished = running.load(Ordering::SeqCst) == 0;
        let query = LogQuery::after(after, limit).of(categories.as_deref());
        let page = events.read_log(query).await.expect("a page of the log");
        assert!(page.read_to >= after && page.read_to <= page.horizon, "{page:?} after {after}");
        assert!(page.events.iter().all(|event| event.position > after), "an event at or before {after}");
        let full = page.events.len() == limit;
        after = page.read_to;
        seen.extend(page.events);
        if finished && !full {
            return seen;
        }
        // Reads as often as it can, to be caught in the act; it ends once the appenders have.
        tokio::task::yield_now().await;
    }
}

fn assert_each_once_in_stream_order(seen: &[RecordedEvent], whole: &[RecordedEvent]) {
    assert!(seen.is_sorted_by(|a, b| a.position < b.position), "positions grow");
    let mut versions: BTreeMap<&StreamId, u64> = BTreeMap::new();
    for event in seen {
        let version = versions.entry(&event.stream).or_default();
        *version += 1;
        assert_eq!(event.version.get(), *version, "{} skipped or repeated an event", event.stream);
    }
    let ids = |events: &[RecordedEvent]| events.iter().map(|event| event.id).collect::<Vec<_>>();
    assert_eq!(ids(seen), ids(whole), "the follower saw what the log holds in the end");
}

/// The central promise: readers that run beside many appenders see every event exactly once, and each stream in its
/// order, whatever the size of their pages.
pub async fn a_follower_of_concurrent_appenders_sees_each_event_once_in_stream_order(fixture: Fixture) {
    let running = Arc::new(AtomicUsize::new(APPENDERS));
    let mut followers = JoinSet::new();
    for limit in [1, 3, 50, 10_000] {
        followers.spawn(follow(Arc::clone(&fixture.storage.events), Arc::clone(&running), None, limit));
    }
    let written: usize = start_appenders(&fixture, &running).join_all().await.into_iter().sum();
    let whole = LogQuery::after(Position::ZERO, 100_000);
    let whole = fixture.storage.events.read_log(whole).await.expect("the whole log").events;
    assert_eq!(whole.len(), written, "the log holds what was answered");
    for seen in followers.join_all().await {
        assert_each_once_in_stream_order(&seen, &whole);
    }
}

/// The same for readers of one category, whose pages pass over the events of others.
pub async fn a_follower_of_one_category_among_many_skips_nothing(fixture: Fixture) {
    let running = Arc::new(AtomicUsize::new(APPENDERS));
    let mut followers = JoinSet::new();
    for limit in [1, 7, 1_000] {
        let categories = Some(vec!["green".to_owned()]);
        followers.spawn(follow(Arc::clone(&fixture.storage.events), Arc::clone(&running), categories, limit));
    }
    start_appenders(&fixture, &running).join_all().await;
    let whole = LogQuery::after(Position::ZERO, 100_000);
    let mut whole = fixture.storage.events.read_log(whole).await.expect("the whole log").events;
    whole.retain(|event| event.stream.category() == "green");
    assert!(!whole.is_empty());
    for seen in followers.join_all().await {
        assert_each_once_in_stream_order(&seen, &whole);
    }
}

/// A caller that goes away leaves all of its append or nothing, and the store goes on.
pub async fn a_dropped_append_happens_whole_or_not_at_all(fixture: Fixture) {
    let over_both = |body: String| Append {
        streams: ["a", "b"]
            .map(|key| StreamAppend {
                stream: stream(key),
                expected: ExpectedVersion::Any,
                events: vec![fixture.event(&body), fixture.event(&body)],
            })
            .into_iter()
            .collect(),
        ..Append::default()
    };
    for n in 0..30 {
        let mut appending = fixture.storage.events.append(over_both(n.to_string()));
        for _ in 0..n % 6 {
            if poll_immediate(&mut appending).await.is_some() {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    fixture.storage.events.append(over_both("last".into())).await.expect("the store goes on");
    let whole = LogQuery::after(Position::ZERO, 1_000);
    let events = fixture.storage.events.read_log(whole).await.expect("the log").events;
    let bodies = |key: &str| -> Vec<String> {
        let of_key = events.iter().filter(|event| event.stream == stream(key));
        of_key.map(|event| body_of(&event.payload)).collect()
    };
    assert_eq!(bodies("a"), bodies("b"), "both streams of each append, or none");
    assert!(bodies("a").contains(&"last".to_owned()));
    assert!(bodies("a").chunks(2).all(|pair| pair[0] == pair[1]), "both events of each append, or none");
}
