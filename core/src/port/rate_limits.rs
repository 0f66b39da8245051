//! The port of request budgets: how often somebody may ask, counted in one place for all instances that share an adapter.

use super::StoreError;
use async_trait::async_trait;
use std::fmt;
use std::time::Duration;

/// A budget: so many requests at once after a rest, and as many in each period on average.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many; 0 counts as 1.
    pub requests: u32,
    /// In what time; zero counts as 1 ns.
    pub period: Duration,
}

impl Rate {
    /// `requests` in each `period`.
    pub const fn per(requests: u32, period: Duration) -> Self {
        Self { requests, period }
    }

    /// `requests` a minute.
    pub const fn per_minute(requests: u32) -> Self {
        Self::per(requests, Duration::from_mins(1))
    }

    /// How long it takes until one more request may be made.
    pub fn every(self) -> Duration {
        (self.period / self.requests.max(1)).max(Duration::from_nanos(1))
    }
}

/// What a budget says to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateDecision {
    /// Whether it may be made; if not, nothing was taken.
    pub is_allowed: bool,
    /// How many more may be made at once.
    pub remaining: u32,
    /// When the next may be made; zero if at once.
    pub retry_after: Duration,
    /// When the whole budget is there again.
    pub full_after: Duration,
}

/// Counts requests.
///
/// # Contract
/// - A token bucket for each key: `requests` at once, one more each `period / requests`, no more than `requests` saved.
/// - Taking is atomic: of calls at once for one key, no more are allowed than the budget has.
/// - Keys do not affect each other, and their number is bounded: those that are not used go first.
/// - A key always comes with the same rate.
///
/// # Cancel safety
/// A dropped future may have taken the request from the budget.
#[async_trait]
pub trait RateLimits: fmt::Debug + Send + Sync {
    /// Takes one request from the budget of `key`.
    ///
    /// # Errors
    /// [`StoreError`] when nobody can count at the moment; what that means is up to the caller.
    async fn take(&self, key: &str, rate: Rate) -> Result<RateDecision, StoreError>;
}
