//! A server that cannot be used as it is named: the error says what to do, and no secret.

use crate::support::{connect, options, url};
use bytes::Bytes;
use composable_rust_core::port::{Cache, NewCached, Rate, RateLimits, StoreError};
use composable_rust_core::{Position, describe};
use composable_rust_redis::{Redis, RedisOptions};
use std::time::Duration;

async fn refusal(url: &str) -> StoreError {
    Redis::connect(RedisOptions::new(url)).await.unwrap_err()
}

#[tokio::test]
async fn a_wrong_address_says_which_variable_to_set() {
    for wrong in
        ["", "127.0.0.1:6379", "http://:hunter2@127.0.0.1:6379", "redis://:hunter2@127.0.0.1:99999/0"]
    {
        let error = refusal(wrong).await;
        assert!(matches!(error, StoreError::Setup(_)), "{wrong}: {error:?}");
        let text = describe(&error);
        assert!(text.contains("REDIS_URL") && !text.contains("hunter2"), "{wrong}: {text}");
    }
}

#[tokio::test]
async fn a_wrong_password_says_so_and_does_not_repeat_it() {
    let server = url().rsplit_once('@').map(|(_, server)| server.to_owned()).unwrap();
    for credentials in [":hunter2@", "nobody:hunter2@", ""] {
        let error = refusal(&format!("redis://{credentials}{server}")).await;
        assert!(matches!(error, StoreError::Setup(_)), "{credentials}: {error:?}");
        let text = describe(&error);
        assert!(text.contains("correct REDIS_URL") && !text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn nobody_at_the_address_is_told_with_the_address() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let error = refusal(&format!("redis://:hunter2@{address}/0")).await;
    assert!(error.is_transient(), "{error:?}");
    let text = describe(&error);
    assert!(text.contains(&address.to_string()) && !text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn no_secret_is_shown() {
    let redis = connect().await;
    let secret =
        url().split_once(':').and_then(|(_, rest)| Some(rest.split_once('@')?.0.to_owned())).unwrap();
    let secret = secret.trim_start_matches(['/', ':']).to_owned();
    for shown in [format!("{:?}", options()), format!("{redis:?}"), format!("{:?}", redis.cache())] {
        assert!(!shown.contains(&format!(":{secret}@")), "{shown}");
    }
}

#[tokio::test]
async fn what_is_used_up_or_over_leaves_no_key_behind() {
    let options = options();
    let redis = Redis::connect(options.clone()).await.unwrap();
    let limits = redis.rate_limits();
    limits.take("a", Rate::per(10, Duration::from_mins(1))).await.unwrap();
    let cache = redis.cache();
    let keep = Duration::from_mins(1);
    let value = NewCached { key: "a", value: Bytes::new(), position: Position::ZERO, tags: &["tag"], keep };
    cache.put(value).await.unwrap();
    cache.invalidate(&["tag"], Position::from(1)).await.unwrap();
    let mut line = redis::Client::open(url()).unwrap().get_multiplexed_async_connection().await.unwrap();
    for key in ["rate:a", "cached:a", "changed:tag"] {
        let left: i64 =
            redis::cmd("PTTL").arg(format!("{}{key}", options.prefix)).query_async(&mut line).await.unwrap();
        assert!(left > 0, "{key} stays for {left} ms");
    }
}

#[tokio::test]
async fn a_value_that_is_too_large_is_not_kept() {
    let redis = Redis::connect(RedisOptions { max_value_bytes: 10, ..options() }).await.unwrap();
    let cache = redis.cache();
    for (bytes, is_kept) in [(10, true), (11, false)] {
        let (value, position) = (Bytes::from(vec![b'x'; bytes]), Position::ZERO);
        let keep = Duration::from_mins(1);
        let key = bytes.to_string();
        cache.put(NewCached { key: &key, value, position, tags: &[], keep }).await.unwrap();
        assert_eq!(cache.get(&key).await.unwrap().is_some(), is_kept);
    }
}
