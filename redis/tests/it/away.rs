//! While Redis is away: limits say so, caches find nothing, sessions let nobody in; nobody waits for long, and all of it
//! ends when Redis is back.

use crate::line::Line;
use crate::support::options;
use bytes::Bytes;
use composable_rust_core::port::{
    Cache, NewCached, NewSession, Rate, RateLimits, SessionKey, Sessions, StoreError,
};
use composable_rust_core::{Position, UserId};
use composable_rust_redis::{Redis, RedisOptions};
use std::time::Duration;

const RATE: Rate = Rate::per_minute(1_000);

/// Long enough for a busy machine to answer in, short enough to be noticed.
const PATIENCE: Duration = Duration::from_secs(2);

async fn redis_on(line: &Line) -> Redis {
    let options = RedisOptions { url: line.url.clone(), answer_timeout: PATIENCE, ..options() };
    Redis::connect(options).await.unwrap()
}

async fn put(cache: &impl Cache, key: &str) {
    let (value, position) = (Bytes::from_static(b"1"), Position::from(1));
    let keep = Duration::from_mins(1);
    cache.put(NewCached { key, value, position, tags: &["tag"], keep }).await.unwrap();
}

fn session(key: &str) -> NewSession {
    NewSession {
        key: SessionKey::new(key),
        user: UserId::from_uuid(uuid::Uuid::from_u128(1)),
        device: String::new(),
        lifetime: Duration::from_mins(1),
        most: 5,
        replaces: None,
    }
}

/// All adapters at once, as an instance has them.
async fn all_are_without(redis: &Redis) {
    let refused = redis.rate_limits().take("a", RATE).await.unwrap_err();
    assert!(refused.is_transient(), "{refused:?}");
    let (cache, sessions) = (redis.cache(), redis.sessions());
    put(&cache, "a").await;
    assert_eq!(cache.get("a").await.unwrap(), None);
    let told = cache.invalidate(&["tag"], Position::from(2)).await.unwrap_err();
    assert!(matches!(told, StoreError::Unavailable { .. }), "{told:?}");
    assert!(cache.remove("a").await.unwrap_err().is_transient());
    assert!(sessions.find(&SessionKey::new("a")).await.unwrap_err().is_transient());
    assert!(sessions.create(session("b")).await.unwrap_err().is_transient());
}

/// Calls until one succeeds; each says that it may be tried again.
async fn is_back(redis: &Redis) {
    let back = async {
        while let Err(error) = redis.rate_limits().take("a", RATE).await {
            assert!(error.is_transient(), "{error:?}");
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), back).await.expect("it is found again");
}

#[tokio::test]
async fn a_line_that_is_cut_is_told_at_once_and_made_again() {
    let line = Line::new().await;
    let redis = redis_on(&line).await;
    put(&redis.cache(), "kept").await;
    redis.sessions().create(session("a")).await.unwrap();
    line.cut().await;
    tokio::time::timeout(Duration::from_secs(30), all_are_without(&redis)).await.expect("nobody waits");
    line.mend().await;
    is_back(&redis).await;
    assert!(redis.cache().get("kept").await.unwrap().is_some());
    assert!(redis.sessions().find(&SessionKey::new("a")).await.unwrap().is_some());
}

#[tokio::test]
async fn a_line_that_is_dead_without_a_word_is_given_up_in_time_and_made_again() {
    let line = Line::new().await;
    let redis = redis_on(&line).await;
    redis.rate_limits().take("a", RATE).await.unwrap();
    line.hold().await;
    let limited = tokio::time::timeout(PATIENCE * 10, all_are_without(&redis));
    limited.await.expect("each call takes no longer than its limit");
    line.mend().await;
    is_back(&redis).await;
}

#[tokio::test]
async fn a_server_that_is_away_at_the_start_is_found_when_it_comes() {
    let line = Line::new().await;
    line.cut().await;
    let options = RedisOptions { url: line.url.clone(), answer_timeout: PATIENCE, ..options() };
    let error = Redis::connect(options.clone()).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    let redis = Redis::new(options).unwrap();
    all_are_without(&redis).await;
    line.mend().await;
    is_back(&redis).await;
}
