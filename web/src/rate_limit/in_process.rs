//! Budgets counted in this process, on the clock of the environment.

use async_trait::async_trait;
use composable_rust_core::Clock;
use composable_rust_core::port::{Rate, RateDecision, RateLimits, StoreError};
use composable_rust_runtime::resilience::TokenBucket;
use lru::LruCache;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Most keys that are remembered unless said otherwise; together they take some 15 MB.
const KEYS: usize = 50_000;

/// Budgets of one process. When there are too many keys, the one that was used longest ago is forgotten.
pub struct InProcessRateLimits {
    clock: Arc<dyn Clock>,
    most_keys: usize,
    buckets: Mutex<LruCache<String, TokenBucket>>,
}

impl InProcessRateLimits {
    /// No budget is used yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with_keys(clock, KEYS)
    }

    /// Remembers at most `most_keys` keys.
    pub fn with_keys(clock: Arc<dyn Clock>, most_keys: usize) -> Self {
        Self { clock, most_keys, buckets: Mutex::new(LruCache::unbounded()) }
    }
}

impl fmt::Debug for InProcessRateLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcessRateLimits").field("most_keys", &self.most_keys).finish_non_exhaustive()
    }
}

#[async_trait]
impl RateLimits for InProcessRateLimits {
    async fn take(&self, key: &str, rate: Rate) -> Result<RateDecision, StoreError> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = if let Some(bucket) = buckets.get(key) {
            bucket.take()
        } else {
            let bucket = TokenBucket::new(rate.requests, rate.every(), Arc::clone(&self.clock));
            let taken = bucket.take();
            buckets.push(key.to_owned(), bucket);
            if buckets.len() > self.most_keys.max(1) {
                buckets.pop_lru();
            }
            taken
        };
        drop(buckets);
        Ok(match taken {
            Ok(remaining) => decision(rate, remaining, Duration::ZERO),
            Err(retry_after) => decision(rate, 0, retry_after),
        })
    }
}

fn decision(rate: Rate, remaining: u32, retry_after: Duration) -> RateDecision {
    let missing = rate.requests.max(1).saturating_sub(remaining);
    RateDecision {
        is_allowed: retry_after.is_zero(),
        remaining,
        retry_after,
        full_after: rate.every().saturating_mul(missing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use composable_rust_core::FixedClock;

    fn clock() -> FixedClock {
        FixedClock::at("2026-01-01T00:00:00Z".parse().unwrap())
    }

    #[tokio::test]
    async fn a_budget_fills_up_again_at_its_rate() {
        let clock = clock();
        let limits = InProcessRateLimits::new(Arc::new(clock.clone()));
        let take = async || limits.take("a", Rate::per_minute(3)).await.unwrap();
        for remaining in [2, 1, 0] {
            let decision = take().await;
            assert!(decision.is_allowed && decision.remaining == remaining, "{decision:?}");
        }
        let refused = take().await;
        let (wait, all) = (Duration::from_secs(20), Duration::from_mins(1));
        let expected = RateDecision { is_allowed: false, remaining: 0, retry_after: wait, full_after: all };
        assert_eq!(refused, expected);
        clock.advance(Duration::from_secs(19));
        assert!(!take().await.is_allowed);
        clock.advance(Duration::from_secs(1));
        assert!(take().await.is_allowed && !take().await.is_allowed);
        clock.advance(Duration::from_hours(1));
        assert_eq!(take().await.remaining, 2, "no more is saved than the budget");
    }

    #[tokio::test]
    async fn the_number_of_keys_is_bounded() {
        let limits = InProcessRateLimits::with_keys(Arc::new(clock()), 10);
        for key in 0..1_000 {
            assert!(limits.take(&key.to_string(), Rate::per_minute(1)).await.unwrap().is_allowed);
        }
        assert_eq!(limits.buckets.lock().unwrap().len(), 10);
        assert!(!limits.take("999", Rate::per_minute(1)).await.unwrap().is_allowed);
    }
}
