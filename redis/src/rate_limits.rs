//! Request budgets that all instances count together.

use crate::connection::Redis;
use async_trait::async_trait;
use composable_rust_core::port::{Rate, RateDecision, RateLimits, StoreError};
use redis::Script;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Takes one request from a budget. What is kept is the moment when the budget will be whole again (the generic cell rate
/// algorithm: a token bucket in one number), by the server's clock in microseconds.
///
/// Arguments: microseconds for one more request, size of the budget. Answers: allowed, remaining, microseconds until the
/// next, microseconds until all.
const TAKE: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local every, size = tonumber(ARGV[1]), tonumber(ARGV[2])
local whole = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local after = whole + every
local early = after - every * size - now
if early > 0 then
  return {0, 0, early, whole - now}
end
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000))
return {1, math.floor((every * size - (after - now)) / every), 0, after - now}
";

/// Counts requests of all instances in one place; budgets that are whole take no room.
///
/// While Redis is away nobody can count: [`RateLimits::take`] fails within
/// [`RedisOptions::answer_timeout`](crate::RedisOptions::answer_timeout), and the caller decides for each route whether that
/// lets everybody pass or nobody. Times shorter than a microsecond count as one.
#[derive(Clone)]
pub struct RedisRateLimits {
    redis: Redis,
    take: Arc<Script>,
}

impl RedisRateLimits {
    pub(crate) fn new(redis: Redis) -> Self {
        Self { redis, take: Arc::new(Script::new(TAKE)) }
    }
}

impl fmt::Debug for RedisRateLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisRateLimits").field("redis", &self.redis).finish_non_exhaustive()
    }
}

#[async_trait]
impl RateLimits for RedisRateLimits {
    async fn take(&self, key: &str, rate: Rate) -> Result<RateDecision, StoreError> {
        let key = self.redis.key("rate", key);
        let every = u64::try_from(rate.every().as_micros()).unwrap_or(u64::MAX).max(1);
        let (allowed, remaining, next, all): (u8, u32, u64, u64) = self
            .redis
            .run("count a request", &self.take, |script| {
                script.key(key).arg(every).arg(rate.requests.max(1));
            })
            .await?;
        Ok(RateDecision {
            is_allowed: allowed == 1,
            remaining,
            retry_after: Duration::from_micros(next),
            full_after: Duration::from_micros(all),
        })
    }
}
