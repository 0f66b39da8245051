//! A token bucket on the environment's clock: so many at once after a rest, then one by one.
//!
//! Not here: what a refusal means to whoever asked (`rate_limiter.rs`), and budgets by key (the web's).

use composable_rust_core::{Clock, elapsed};
use governor::Quota;
use governor::clock::Clock as GovernorClock;
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use jiff::Timestamp;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

type Inner = governor::RateLimiter<NotKeyed, InMemoryState, PortClock, StateInformationMiddleware>;

/// So many tokens at once, and one more after each pause. Taking is atomic; it never waits.
///
/// ```
/// use composable_rust_core::FixedClock;
/// use composable_rust_runtime::resilience::TokenBucket;
/// use std::{sync::Arc, time::Duration};
///
/// let clock = FixedClock::at("2026-01-01T00:00:00Z".parse().unwrap());
/// let bucket = TokenBucket::new(2, Duration::from_secs(10), Arc::new(clock.clone()));
/// assert_eq!((bucket.take(), bucket.take()), (Ok(1), Ok(0)));
/// assert_eq!(bucket.take(), Err(Duration::from_secs(10)));
/// clock.advance(Duration::from_secs(10));
/// assert_eq!(bucket.take(), Ok(0));
/// ```
pub struct TokenBucket {
    inner: Inner,
}

impl TokenBucket {
    /// A full bucket of `burst` tokens (0 counts as 1) that gets one more `every` so often (zero counts as 1 ns).
    pub fn new(burst: u32, every: Duration, clock: Arc<dyn Clock>) -> Self {
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        let every = every.max(Duration::from_nanos(1));
        let quota = Quota::with_period(every).unwrap_or(Quota::per_second(burst)).allow_burst(burst);
        let started_at = clock.now();
        let clock = PortClock { clock, started_at };
        Self { inner: governor::RateLimiter::direct_with_clock(quota, clock).with_middleware() }
    }

    /// Takes a token, and tells how many are left.
    ///
    /// # Errors
    /// How long it takes until there is one, which is never zero; nothing was taken.
    pub fn take(&self) -> Result<u32, Duration> {
        match self.inner.check() {
            Ok(state) => Ok(state.remaining_burst_capacity()),
            Err(refusal) => {
                Err(refusal.wait_time_from(self.inner.clock().now()).max(Duration::from_nanos(1)))
            }
        }
    }
}

impl fmt::Debug for TokenBucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenBucket").finish_non_exhaustive()
    }
}

/// The clock of the environment as governor wants it: the time since the bucket was made.
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
