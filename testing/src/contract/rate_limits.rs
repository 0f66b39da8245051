//! The contract of request budgets: how much, how fast it comes back, and who shares what.

use super::timed::TimedSubject;
use composable_rust_core::port::{Rate, RateDecision, RateLimits};
use futures_util::future::join_all;
use std::time::Duration;

/// Runs the contract of [`RateLimits`](composable_rust_core::port::RateLimits) on what `factory` makes: an
/// `async fn() -> TimedSubject<dyn RateLimits>`.
#[macro_export]
macro_rules! rate_limits_contract {
    ($factory:path) => {
        $crate::contract_cases!(
            $factory,
            rate_limits,
            [
                a_budget_is_there_at_once_and_then_used_up,
                a_refusal_takes_nothing_and_tells_when_to_come_back,
                what_was_used_comes_back_at_its_rate,
                no_more_is_saved_than_the_budget,
                keys_do_not_affect_each_other,
                of_many_calls_at_once_no_more_are_allowed_than_the_budget_has,
                a_budget_of_nothing_counts_as_one,
                a_great_budget_of_a_short_period_is_counted,
            ]
        );
    };
}

/// The cases' subject.
type Limits = TimedSubject<dyn RateLimits>;

/// Three a second and a half: one more each half second.
const RATE: Rate = Rate::per(3, Duration::from_millis(1_500));
/// Nothing comes back while a case runs.
const SLOW: Rate = Rate::per(3, Duration::from_hours(3));

async fn take(limits: &Limits, key: &str, rate: Rate) -> RateDecision {
    limits.port().take(key, rate).await.expect("a decision")
}

/// It tells what is left.
pub async fn a_budget_is_there_at_once_and_then_used_up(limits: Limits) {
    for remaining in [2, 1, 0] {
        let decision = take(&limits, "it's 50% 🎟", SLOW).await;
        assert!(decision.is_allowed, "{decision:?}");
        assert_eq!((decision.remaining, decision.retry_after), (remaining, Duration::ZERO));
        let missing = 3 - remaining;
        let (least, most) = (SLOW.every() * (missing - 1), SLOW.every() * missing);
        assert!(decision.full_after > least && decision.full_after <= most, "{decision:?}");
    }
    assert!(!take(&limits, "it's 50% 🎟", SLOW).await.is_allowed);
}

/// However often it is refused.
pub async fn a_refusal_takes_nothing_and_tells_when_to_come_back(limits: Limits) {
    for _ in 0..3 {
        take(&limits, "a", RATE).await;
    }
    let mut wait = Duration::ZERO;
    for _ in 0..10 {
        let refused = take(&limits, "a", RATE).await;
        // A machine that stalls between two calls may have let one come back.
        if !refused.is_allowed {
            assert_eq!(refused.remaining, 0);
            assert!(!refused.retry_after.is_zero() && refused.retry_after <= RATE.every(), "{refused:?}");
            assert!(
                refused.full_after > refused.retry_after && refused.full_after <= RATE.period,
                "{refused:?}"
            );
            wait = refused.retry_after;
        }
    }
    limits.pass(wait).await;
    assert!(take(&limits, "a", RATE).await.is_allowed, "who comes back when he was told is let in");
}

/// One after the other, not all at the end of the period.
pub async fn what_was_used_comes_back_at_its_rate(limits: Limits) {
    for _ in 0..3 {
        take(&limits, "a", SLOW).await;
    }
    let fast = Rate::per(3, Duration::from_millis(1_500));
    for _ in 0..3 {
        take(&limits, "b", fast).await;
    }
    limits.pass(fast.every()).await;
    assert!(take(&limits, "b", fast).await.is_allowed, "one has come back");
    assert!(!take(&limits, "a", SLOW).await.is_allowed, "the slow one has not");
}

/// However long nobody asks.
pub async fn no_more_is_saved_than_the_budget(limits: Limits) {
    let rate = Rate::per(2, Duration::from_millis(100));
    take(&limits, "a", rate).await;
    limits.pass(Duration::from_millis(700)).await;
    let decision = take(&limits, "a", rate).await;
    assert!(decision.is_allowed);
    assert_eq!(decision.remaining, 1);
}

/// Neither does one key's use count for another, nor its refusal.
pub async fn keys_do_not_affect_each_other(limits: Limits) {
    for _ in 0..4 {
        take(&limits, "a", SLOW).await;
    }
    for key in ["b", "A", "a ", "a:", ""] {
        assert_eq!(take(&limits, key, SLOW).await.remaining, 2, "{key:?}");
    }
}

/// Whoever asks first.
pub async fn of_many_calls_at_once_no_more_are_allowed_than_the_budget_has(limits: Limits) {
    let rate = Rate::per(10, Duration::from_hours(1));
    let decisions = join_all((0..100).map(|_| take(&limits, "a", rate))).await;
    let allowed = decisions.iter().filter(|decision| decision.is_allowed);
    assert_eq!(allowed.count(), 10);
}

/// A limit that would let nobody in is a mistake.
pub async fn a_budget_of_nothing_counts_as_one(limits: Limits) {
    let rate = Rate::per(0, Duration::from_hours(1));
    assert!(take(&limits, "a", rate).await.is_allowed);
    assert!(!take(&limits, "a", rate).await.is_allowed);
}

/// A thousand requests in ten milliseconds.
pub async fn a_great_budget_of_a_short_period_is_counted(limits: Limits) {
    let rate = Rate::per(1_000, Duration::from_millis(10));
    assert_eq!(take(&limits, "a", rate).await.remaining, 999);
    assert!(take(&limits, "a", rate).await.is_allowed);
}
