//! The contract of cached reads: what is found, until when, and what can never come back.

use super::timed::TimedSubject;
use bytes::Bytes;
use composable_rust_core::Position;
use composable_rust_core::port::{Cache, Cached, NewCached};
use std::time::Duration;

/// Runs the contract of [`Cache`](composable_rust_core::port::Cache) on what `factory` makes: an
/// `async fn() -> TimedSubject<dyn Cache>`.
#[macro_export]
macro_rules! cache_contract {
    ($factory:path) => {
        $crate::contract_cases!(
            $factory,
            cache,
            [
                a_value_is_found_as_it_was_put,
                what_was_not_put_is_not_found,
                a_value_replaces_the_one_before_it,
                a_value_goes_when_its_time_is_over,
                a_removed_value_is_gone,
                a_change_of_one_tag_makes_a_value_stale,
                a_change_makes_nothing_else_stale,
                a_value_made_before_a_change_cannot_come_back,
                a_value_made_at_or_after_a_change_is_fresh,
                an_older_change_does_not_take_back_a_newer_one,
            ]
        );
    };
}

/// The cases' subject.
type Subject = TimedSubject<dyn Cache>;

const LONG: Duration = Duration::from_mins(5);

async fn put(cache: &Subject, key: &str, value: &'static str, position: u32, tags: &[&str]) {
    let (value, position) = (Bytes::from_static(value.as_bytes()), Position::from(position));
    cache.port().put(NewCached { key, value, position, tags, keep: LONG }).await.expect("put");
}

async fn get(cache: &Subject, key: &str) -> Option<String> {
    let found = cache.port().get(key).await.expect("an answer");
    found.map(|cached| String::from_utf8(cached.value.into()).expect("text"))
}

async fn invalidate(cache: &Subject, tags: &[&str], position: u32) {
    cache.port().invalidate(tags, Position::from(position)).await.expect("invalidated");
}

/// Any bytes, with its position.
pub async fn a_value_is_found_as_it_was_put(cache: Subject) {
    let value = Bytes::from_static(b"any bytes \x00\xff\r\n");
    let (key, position) = ("it's 50% 🎟", Position::MAX);
    let new = NewCached { key, value: value.clone(), position, tags: &["käse", "b:1"], keep: LONG };
    cache.port().put(new).await.expect("put");
    assert_eq!(cache.port().get(key).await.expect("an answer"), Some(Cached { value, position }));
    let empty = NewCached { key: "", value: Bytes::new(), position: Position::ZERO, tags: &[], keep: LONG };
    cache.port().put(empty).await.expect("put");
    assert_eq!(get(&cache, "").await.as_deref(), Some(""));
}

/// Nor is it an error.
pub async fn what_was_not_put_is_not_found(cache: Subject) {
    put(&cache, "a", "1", 1, &["b"]).await;
    for key in ["b", "A", "a "] {
        assert_eq!(get(&cache, key).await, None, "{key:?}");
    }
}

/// With its tags and its position.
pub async fn a_value_replaces_the_one_before_it(cache: Subject) {
    put(&cache, "a", "1", 1, &["old"]).await;
    put(&cache, "a", "2", 2, &["new"]).await;
    invalidate(&cache, &["old"], 9).await;
    assert_eq!(get(&cache, "a").await.as_deref(), Some("2"));
    invalidate(&cache, &["new"], 9).await;
    assert_eq!(get(&cache, "a").await, None);
}

/// By the store's clock.
pub async fn a_value_goes_when_its_time_is_over(cache: Subject) {
    let keep = Duration::from_millis(300);
    let new =
        NewCached { key: "a", value: Bytes::from_static(b"1"), position: Position::ZERO, tags: &[], keep };
    cache.port().put(new).await.expect("put");
    put(&cache, "b", "2", 1, &[]).await;
    cache.pass(Duration::from_millis(400)).await;
    assert_eq!(get(&cache, "a").await, None);
    assert_eq!(get(&cache, "b").await.as_deref(), Some("2"));
}

/// Removing what is not there does nothing.
pub async fn a_removed_value_is_gone(cache: Subject) {
    put(&cache, "a", "1", 1, &[]).await;
    put(&cache, "b", "2", 1, &[]).await;
    for _ in 0..2 {
        cache.port().remove("a").await.expect("removed");
        assert_eq!(get(&cache, "a").await, None);
    }
    assert_eq!(get(&cache, "b").await.as_deref(), Some("2"));
}

/// Whichever of them it is.
pub async fn a_change_of_one_tag_makes_a_value_stale(cache: Subject) {
    let tags: Vec<String> = (0..16).map(|tag| format!("tag {tag}")).collect();
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    for changed in [0, 7, 15] {
        let at = 10 + changed;
        put(&cache, "a", "1", at, &tags).await;
        assert_eq!(get(&cache, "a").await.as_deref(), Some("1"));
        invalidate(&cache, &[tags[changed as usize]], at + 1).await;
        assert_eq!(get(&cache, "a").await, None, "tag {changed}");
    }
}

/// Other tags, and values without any.
pub async fn a_change_makes_nothing_else_stale(cache: Subject) {
    put(&cache, "a", "1", 1, &["x", "y"]).await;
    put(&cache, "b", "2", 1, &[]).await;
    invalidate(&cache, &["z", "X", "a", "b", ""], 100).await;
    invalidate(&cache, &[], 100).await;
    assert_eq!(get(&cache, "a").await.as_deref(), Some("1"));
    assert_eq!(get(&cache, "b").await.as_deref(), Some("2"));
}

/// The reader read, the projection changed the row and said so, and only then the reader puts what it has.
pub async fn a_value_made_before_a_change_cannot_come_back(cache: Subject) {
    invalidate(&cache, &["row"], 7).await;
    put(&cache, "a", "old", 6, &["other", "row"]).await;
    assert_eq!(get(&cache, "a").await, None);
}

/// What the change itself brought is in it.
pub async fn a_value_made_at_or_after_a_change_is_fresh(cache: Subject) {
    invalidate(&cache, &["row"], 7).await;
    for position in [7, 8] {
        put(&cache, "a", "new", position, &["row"]).await;
        assert_eq!(get(&cache, "a").await.as_deref(), Some("new"), "{position}");
    }
}

/// A projection that repeats a batch after a crash tells of changes again.
pub async fn an_older_change_does_not_take_back_a_newer_one(cache: Subject) {
    invalidate(&cache, &["row"], 9).await;
    invalidate(&cache, &["row"], 3).await;
    put(&cache, "a", "old", 5, &["row"]).await;
    assert_eq!(get(&cache, "a").await, None);
}
