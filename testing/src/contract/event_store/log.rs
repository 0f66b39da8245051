//! Reading the log of all streams, page by page, and the signal that announces it.

use crate::contract::fixture::{Fixture, append_to, exactly, refusal};
use composable_rust_core::port::{LogPage, LogQuery};
use composable_rust_core::{ExpectedVersion, Position, RecordedEvent, StreamId};
use std::sync::Arc;

async fn page(fixture: &Fixture, after: Position, limit: usize, categories: Option<&[String]>) -> LogPage {
    let query = LogQuery::after(after, limit).of(categories);
    fixture.storage.events.read_log(query).await.expect("a page of the log")
}

fn of(category: &str, key: &str) -> StreamId {
    StreamId::new(category, key).expect("a stream id")
}

/// An empty log has an empty page, read to its horizon at zero.
pub async fn the_log_of_an_empty_store_is_empty(fixture: Fixture) {
    let page = page(&fixture, Position::ZERO, 10, None).await;
    let expected = LogPage { events: Vec::new(), read_to: Position::ZERO, horizon: Position::ZERO };
    assert_eq!(page, expected);
    assert_eq!(fixture.storage.events.signal().position(), Position::ZERO);
}

/// Events of all streams, in the order in which they were appended.
pub async fn the_log_holds_all_streams_in_order(fixture: Fixture) {
    let mut expected = Vec::new();
    for n in 0..30_u64 {
        let stream = of(["one", "two", "three"][(n % 3) as usize], "x");
        fixture.append_to(stream.clone(), 1).await;
        expected.push((stream, n / 3 + 1));
    }
    let page = page(&fixture, Position::ZERO, 100, None).await;
    let found: Vec<_> = page.events.iter().map(|event| (event.stream.clone(), event.version.get())).collect();
    assert_eq!(found, expected);
    assert!(page.events.is_sorted_by(|a, b| a.position < b.position), "positions grow");
}

/// Pages of any size, each after the one before, give every event once.
pub async fn the_log_is_read_in_pages_without_loss(fixture: Fixture) {
    for n in 0..20 {
        fixture.append(&format!("s{}", n % 4), n % 3 + 1).await;
    }
    let whole = page(&fixture, Position::ZERO, 1_000, None).await.events;
    for size in [1, 2, 7, whole.len(), whole.len() + 1] {
        let (mut after, mut events) = (Position::ZERO, Vec::new());
        loop {
            let page = page(&fixture, after, size, None).await;
            assert!(page.events.len() <= size, "a page of {size} has {}", page.events.len());
            if page.events.is_empty() {
                break;
            }
            after = page.read_to;
            events.extend(page.events);
        }
        assert_eq!(events, whole, "pages of {size}");
    }
}

/// `read_to` of a full page is its last event, even when more has been recorded.
pub async fn a_full_page_has_read_to_its_last_event(fixture: Fixture) {
    let last = fixture.append("a", 10).await.position;
    for limit in [1, 4, 10] {
        let page = page(&fixture, Position::ZERO, limit, None).await;
        assert_eq!(page.events.len(), limit);
        assert_eq!(page.read_to, page.events[limit - 1].position);
        assert_eq!(page.horizon, last);
    }
    let categories = ["contract".to_owned()];
    fixture.append_to(of("other", "x"), 5).await;
    let page = page(&fixture, Position::ZERO, 10, Some(&categories)).await;
    assert_eq!(page.read_to, last);
}

/// `read_to` of a page that is not full is the horizon, also past events of other categories.
pub async fn a_page_that_is_not_full_has_read_to_the_horizon(fixture: Fixture) {
    fixture.append("a", 3).await;
    let last = fixture.append_to(of("other", "x"), 4).await.position;
    let whole = page(&fixture, Position::ZERO, 100, None).await;
    assert_eq!((whole.read_to, whole.horizon), (last, last));
    let categories = ["contract".to_owned()];
    let part = page(&fixture, Position::ZERO, 100, Some(&categories)).await;
    assert_eq!(part.events.len(), 3);
    assert_eq!((part.read_to, part.horizon), (last, last));
    let rest = page(&fixture, last, 100, None).await;
    assert!(rest.events.is_empty());
    assert_eq!((rest.read_to, rest.horizon), (last, last));
}

/// A page without room has read nothing: going on after its `read_to` skips nothing.
pub async fn a_page_of_limit_0_has_read_nothing(fixture: Fixture) {
    let first = fixture.append("a", 1).await.position;
    let last = fixture.append("a", 2).await.position;
    for after in [Position::ZERO, first] {
        let page = page(&fixture, after, 0, None).await;
        assert!(page.events.is_empty());
        assert_eq!((page.read_to, page.horizon), (after, last));
    }
}

/// At least one event, and never more than one over the limit; the next page goes on after it.
pub async fn a_page_of_the_log_ends_with_the_event_that_fills_its_bytes(fixture: Fixture) {
    for key in ["a", "b", "a", "c", "b"] {
        let events = (0..4).map(|n| fixture.event(&"x".repeat(100 * n))).collect();
        fixture.storage.events.append(append_to(key, ExpectedVersion::Any, events)).await.expect("any");
        fixture.append_to(of("other", "x"), 1).await;
    }
    let categories = ["contract".to_owned()];
    for asked in [None, Some(&categories[..])] {
        let whole = page(&fixture, Position::ZERO, 1_000, asked).await;
        assert_eq!(whole.read_to, whole.horizon);
        for max_bytes in [0, 1, 300, 999, 5_000, 1_000_000] {
            let (mut after, mut events) = (Position::ZERO, Vec::new());
            while after < whole.horizon {
                let query = LogQuery { max_bytes, ..LogQuery::after(after, 1_000) }.of(asked);
                let page = fixture.storage.events.read_log(query).await.expect("a page");
                let sizes: Vec<_> = page.events.iter().map(RecordedEvent::content_bytes).collect();
                let [before @ .., last] = &sizes[..] else { break };
                let held: usize = before.iter().sum();
                assert!(before.is_empty() || held < max_bytes, "{sizes:?} in {max_bytes} bytes");
                let is_full = held + last >= max_bytes;
                let end = if is_full { page.events[before.len()].position } else { page.horizon };
                assert_eq!(page.read_to, end, "{sizes:?} in {max_bytes} bytes");
                after = page.read_to;
                events.extend(page.events);
            }
            assert_eq!(events, whole.events, "in pages of {max_bytes} bytes");
        }
    }
}

/// Only streams of the categories asked for; several may be asked for; none gives none.
pub async fn the_log_is_read_by_category(fixture: Fixture) {
    for category in ["one", "two", "three", "one", "two"] {
        fixture.append_to(of(category, "x"), 2).await;
    }
    for (asked, count) in [
        (vec!["one"], 4),
        (vec!["three"], 2),
        (vec!["one", "three"], 6),
        (vec!["two", "one", "three", "four"], 10),
        (vec!["two", "two"], 4),
        (vec!["four"], 0),
        (vec![], 0),
    ] {
        let categories: Vec<String> = asked.iter().map(ToString::to_string).collect();
        let page = page(&fixture, Position::ZERO, 100, Some(&categories)).await;
        assert_eq!(page.events.len(), count, "events of {asked:?}");
        assert!(page.events.iter().all(|event| asked.contains(&event.stream.category())));
        assert!(page.events.is_sorted_by(|a, b| a.position < b.position), "{asked:?} in order");
    }
}

/// A category is not a prefix or a pattern.
pub async fn categories_are_compared_whole(fixture: Fixture) {
    for category in ["show", "shows", "show_", "show.a", "shox"] {
        fixture.append_to(of(category, "x"), 1).await;
    }
    for category in ["show", "show_"] {
        let categories = [category.to_owned()];
        let page = page(&fixture, Position::ZERO, 100, Some(&categories)).await;
        assert_eq!(page.events.len(), 1, "events of {category}");
        assert_eq!(page.events[0].stream.category(), category);
    }
}

/// The signal comes to what was answered, soon and without being asked: a store with several writers has to look first
/// whether one before it is still under way.
pub async fn the_signal_stands_at_what_was_appended(fixture: Fixture) {
    for n in 1..=5 {
        let appended = fixture.append("a", n).await;
        fixture.storage.events.signal().reached(appended.position).await;
    }
    let horizon = page(&fixture, Position::ZERO, 1, None).await.horizon;
    assert_eq!(
        fixture.storage.events.signal().position(),
        horizon,
        "nothing is announced that cannot be read"
    );
}

/// A follower that waits for the next event is woken by its append, and then finds it.
pub async fn the_signal_wakes_who_waits(fixture: Fixture) {
    let fixture = Arc::new(fixture);
    let waiting = Arc::clone(&fixture);
    let follower = tokio::task::JoinSet::from_iter([async move {
        waiting.storage.events.signal().reached(Position::from(1)).await;
        page(&waiting, Position::ZERO, 10, None).await.events.len()
    }]);
    tokio::task::yield_now().await;
    fixture.append("a", 1).await;
    assert_eq!(follower.join_all().await, [1]);
}

/// A refused append is not seen, in part or whole, and does not hold readers back.
pub async fn a_refused_append_shows_nothing_to_readers(fixture: Fixture) {
    fixture.append("a", 1).await;
    refusal(fixture.storage.events.append(append_to("a", exactly(9), fixture.events(3))).await);
    let last = fixture.append("b", 1).await.position;
    let page = page(&fixture, Position::ZERO, 100, None).await;
    assert_eq!(page.events.len(), 2);
    assert_eq!((page.read_to, page.horizon), (last, last));
}
