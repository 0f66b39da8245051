//! A limit on how many calls are made in a time: a token bucket on the environment's clock.

use super::{Policy, PolicyError};
use composable_rust_core::{Clock, elapsed};
use governor::Quota;
use governor::clock::Clock as GovernorClock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use jiff::Timestamp;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

/// Limits of a [`RateLimiter`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimiterOptions {
    /// Calls that may be made at once after a rest; 0 counts as 1.
    pub burst: u32,
    /// How long it takes until one more may be made; zero counts as 1 ns.
    pub every: Duration,
}

impl RateLimiterOptions {
    /// At most `calls` in each `period` on average, all of them at once if need be.
    pub fn per(calls: u32, period: Duration) -> Self {
        Self { burst: calls, every: period / calls.max(1) }
    }
}

type Bucket = governor::RateLimiter<NotKeyed, InMemoryState, PortClock, NoOpMiddleware<Duration>>;

/// Refuses calls beyond a rate; never makes them wait.
#[derive(Debug, Clone)]
pub struct RateLimiter {
    name: &'static str,
    bucket: Arc<Bucket>,
}

impl RateLimiter {
    /// A full bucket; `name` shows in errors.
    pub fn new(name: &'static str, options: RateLimiterOptions, clock: Arc<dyn Clock>) -> Self {
        let burst = NonZeroU32::new(options.burst).unwrap_or(NonZeroU32::MIN);
        let every = options.every.max(Duration::from_nanos(1));
        let quota = Quota::with_period(every).unwrap_or(Quota::per_second(burst)).allow_burst(burst);
        let started_at = clock.now();
        Self { name, bucket: Arc::new(Bucket::direct_with_clock(quota, PortClock { clock, started_at })) }
    }

    /// Takes a token.
    ///
    /// # Errors
    /// [`PolicyError::RateLimited`] when there is none.
    pub fn take(&self) -> Result<(), PolicyError> {
        self.bucket.check().map_err(|refusal| {
            let retry_after = refusal.wait_time_from(self.bucket.clock().now());
            PolicyError::RateLimited { name: self.name, retry_after }
        })
    }
}

impl Policy for RateLimiter {
    async fn call<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send,
        E: From<PolicyError> + Send,
        F: Future<Output = Result<T, E>> + Send,
    {
        self.take()?;
        work.await
    }
}

/// The clock of the environment as governor wants it: the time since the limiter was made.
#[derive(Debug, Clone)]
struct PortClock {
    clock: Arc<dyn Clock>,
    started_at: Timestamp,
}

impl GovernorClock for PortClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        elapsed(self.started_at, self.clock.now())
    }
}
