//! One named budget, and how its state is told to a client.

use crate::Problem;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use composable_rust_core::port::{Rate, RateDecision};
use std::borrow::Cow;
use std::time::Duration;

/// A budget with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Budget {
    pub(super) name: Cow<'static, str>,
    pub(super) rate: Rate,
    /// Whether it guards something: then its state is not told, and without a count nobody passes.
    pub(super) guards: bool,
}

impl Budget {
    /// One that is told and lets everybody pass while nobody can count; `None` for a rate of zero.
    pub(super) fn open(name: &'static str, requests_per_minute: u32) -> Option<Self> {
        let rate = Rate::per_minute(requests_per_minute);
        (requests_per_minute > 0).then_some(Self { name: name.into(), rate, guards: false })
    }

    /// Tells what is left: `RateLimit` and `RateLimit-Policy` of the IETF's draft, and the older `X-RateLimit-*`, whose
    /// reset is in seconds from now.
    pub(super) fn tell(&self, decision: &RateDecision, headers: &mut HeaderMap) {
        if self.guards {
            return;
        }
        let (name, limit, remaining) = (&self.name, self.rate.requests.max(1), decision.remaining);
        let (window, reset) = (seconds(self.rate.period), seconds(decision.full_after));
        for (header, text) in [
            ("ratelimit-policy", format!("\"{name}\";q={limit};w={window}")),
            ("ratelimit", format!("\"{name}\";r={remaining};t={reset}")),
            ("x-ratelimit-limit", limit.to_string()),
            ("x-ratelimit-remaining", remaining.to_string()),
            ("x-ratelimit-reset", reset.to_string()),
        ] {
            if let Ok(value) = HeaderValue::try_from(text) {
                headers.insert(HeaderName::from_static(header), value);
            }
        }
    }
}

/// 429 `rate_limited`.
pub(super) fn refusal(decision: &RateDecision) -> Problem {
    let seconds = u32::try_from(seconds(decision.retry_after)).unwrap_or(u32::MAX);
    Problem::of_status(StatusCode::TOO_MANY_REQUESTS).retry_after(seconds.max(1))
}

/// Whole seconds, rounded up: who comes back then is not too early.
fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
