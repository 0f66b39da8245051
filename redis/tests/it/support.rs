//! A server with keys of one's own.

use composable_rust_redis::{Redis, RedisOptions};
use std::time::Duration;

/// A server that other tests use too.
pub(crate) fn url() -> String {
    std::env::var("TEST_REDIS_URL")
        .expect("TEST_REDIS_URL is not set: eval \"$(cargo xtask services up --only redis)\"")
}

/// Options under a name that no other test has, in this run or another. Patient: the machine is busy.
pub(crate) fn options() -> RedisOptions {
    let prefix = format!("test-{:x}:", any_number());
    RedisOptions { prefix, answer_timeout: Duration::from_secs(20), ..RedisOptions::new(url()) }
}

pub(crate) async fn connect() -> Redis {
    Redis::connect(options()).await.expect("Redis answers")
}

#[expect(clippy::disallowed_methods, reason = "runs share a server and must not meet")]
fn any_number() -> u128 {
    rand::random()
}
