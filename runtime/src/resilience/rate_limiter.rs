//! A limit on how many calls are made in a time. Not here: the counting (`token_bucket.rs`).

use super::{Policy, PolicyError, TokenBucket};
use composable_rust_core::Clock;
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

/// Refuses calls beyond a rate; never makes them wait.
#[derive(Debug, Clone)]
pub struct RateLimiter {
    name: &'static str,
    bucket: Arc<TokenBucket>,
}

impl RateLimiter {
    /// A full bucket; `name` shows in errors.
    pub fn new(name: &'static str, options: RateLimiterOptions, clock: Arc<dyn Clock>) -> Self {
        Self { name, bucket: Arc::new(TokenBucket::new(options.burst, options.every, clock)) }
    }

    /// Takes a token.
    ///
    /// # Errors
    /// [`PolicyError::RateLimited`] when there is none.
    pub fn take(&self) -> Result<(), PolicyError> {
        let taken = self.bucket.take().map(drop);
        taken.map_err(|retry_after| PolicyError::RateLimited { name: self.name, retry_after })
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
