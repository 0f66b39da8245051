//! The contract of the lease store.

use super::fixture::Fixture;
use composable_rust_core::port::Lease;
use std::time::Duration;

/// Runs the contract of [`LeaseStore`](composable_rust_core::port::LeaseStore) on what `factory` makes: an
/// `async fn() -> Subject`, see [the module's example](crate::contract).
#[macro_export]
macro_rules! leases_contract {
    ($factory:path) => {
        $crate::contract_cases!(
            $factory,
            leases,
            [
                a_free_lease_is_granted,
                a_held_lease_is_refused_to_others,
                works_are_leased_apart,
                renewing_prolongs_the_lease_and_keeps_its_fence,
                a_lease_ends_by_the_stores_clock,
                a_holder_that_came_late_does_not_get_a_lower_fence,
                a_released_lease_is_free_at_once,
                releasing_a_lease_that_has_passed_on_leaves_it_alone,
                the_fence_grows_each_time_the_work_changes_hands,
                a_fence_is_not_given_again_after_a_restart,
                a_released_lease_keeps_its_fence_over_a_restart,
                of_many_who_ask_at_once_one_gets_the_lease,
            ]
        );
    };
}

const TTL: Duration = Duration::from_secs(10);

async fn acquire(fixture: &Fixture, work: &str, holder: &str) -> Option<Lease> {
    fixture.storage.leases.acquire(work, holder, TTL).await.expect("an answer")
}

async fn granted(fixture: &Fixture, work: &str, holder: &str) -> Lease {
    let lease = acquire(fixture, work, holder).await;
    lease.unwrap_or_else(|| panic!("{holder} had to get the lease on {work}"))
}

async fn release(fixture: &Fixture, lease: &Lease) {
    fixture.storage.leases.release(lease).await.expect("released");
}

/// It names the work, the holder, and when it ends.
pub async fn a_free_lease_is_granted(fixture: Fixture) {
    let lease = granted(&fixture, "it's 50% 🎟", "me").await;
    assert_eq!((lease.work.as_str(), lease.holder.as_str()), ("it's 50% 🎟", "me"));
    assert!(lease.fence >= 1);
    assert_eq!(lease.until, fixture.in_seconds(10));
}

/// However often they ask.
pub async fn a_held_lease_is_refused_to_others(fixture: Fixture) {
    granted(&fixture, "work", "a").await;
    for holder in ["b", "A", "a ", "b"] {
        assert_eq!(acquire(&fixture, "work", holder).await, None, "{holder:?}");
    }
}

/// One holder may have several; different holders may have one each.
pub async fn works_are_leased_apart(fixture: Fixture) {
    granted(&fixture, "one", "a").await;
    granted(&fixture, "two", "a").await;
    granted(&fixture, "One", "b").await;
    assert_eq!(acquire(&fixture, "one", "b").await, None);
}

/// The holder works on under the same fence; a renewal counts from now.
pub async fn renewing_prolongs_the_lease_and_keeps_its_fence(fixture: Fixture) {
    let mut lease = granted(&fixture, "work", "a").await;
    for _ in 0..5 {
        fixture.clock.advance(Duration::from_secs(6));
        let renewed = granted(&fixture, "work", "a").await;
        assert_eq!(renewed.fence, lease.fence);
        assert_eq!(renewed.until, fixture.in_seconds(10));
        assert_eq!(acquire(&fixture, "work", "b").await, None);
        lease = renewed;
    }
}

/// Not before, and surely after.
pub async fn a_lease_ends_by_the_stores_clock(fixture: Fixture) {
    let first = granted(&fixture, "work", "a").await;
    fixture.clock.advance(Duration::from_secs(9));
    assert_eq!(acquire(&fixture, "work", "b").await, None);
    fixture.clock.advance(Duration::from_secs(2));
    let second = granted(&fixture, "work", "b").await;
    assert!(second.fence > first.fence);
    assert_eq!(second.until, fixture.in_seconds(10));
    assert_eq!(acquire(&fixture, "work", "a").await, None, "it has passed on");
}

/// Nobody took over meanwhile: the holder may go on, and never under an older fence.
pub async fn a_holder_that_came_late_does_not_get_a_lower_fence(fixture: Fixture) {
    let first = granted(&fixture, "work", "a").await;
    fixture.clock.advance(Duration::from_mins(1));
    assert!(granted(&fixture, "work", "a").await.fence >= first.fence);
}

/// Without waiting for its end, and with a new fence.
pub async fn a_released_lease_is_free_at_once(fixture: Fixture) {
    let first = granted(&fixture, "work", "a").await;
    release(&fixture, &first).await;
    let second = granted(&fixture, "work", "b").await;
    assert!(second.fence > first.fence);
    release(&fixture, &second).await;
    release(&fixture, &second).await;
    assert!(granted(&fixture, "work", "a").await.fence > second.fence);
}

/// Who was too slow cannot take the lease from its new holder, nor from a later run of its own.
pub async fn releasing_a_lease_that_has_passed_on_leaves_it_alone(fixture: Fixture) {
    let first = granted(&fixture, "work", "a").await;
    fixture.clock.advance(Duration::from_secs(11));
    let second = granted(&fixture, "work", "b").await;
    release(&fixture, &first).await;
    assert_eq!(acquire(&fixture, "work", "c").await, None, "b still holds it");
    release(&fixture, &second).await;
    granted(&fixture, "work", "a").await;
    release(&fixture, &first).await;
    assert_eq!(acquire(&fixture, "work", "c").await, None, "the lease of an earlier fence is not this one");
}

/// By release, by end, in any mixture.
pub async fn the_fence_grows_each_time_the_work_changes_hands(fixture: Fixture) {
    let mut fence = 0;
    for round in 0..10 {
        let lease = granted(&fixture, "work", ["a", "b", "c"][round % 3]).await;
        assert!(lease.fence > fence, "round {round}: {} after {fence}", lease.fence);
        fence = lease.fence;
        if round % 2 == 0 {
            release(&fixture, &lease).await;
        } else {
            fixture.clock.advance(Duration::from_secs(11));
        }
    }
}

/// A lease outlives a restart, unless the store knows that its holder did not; its fence is never given again.
pub async fn a_fence_is_not_given_again_after_a_restart(mut fixture: Fixture) {
    let first = granted(&fixture, "work", "a").await;
    fixture.restart().await;
    let next = if let Some(lease) = acquire(&fixture, "work", "b").await {
        lease
    } else {
        fixture.clock.advance(Duration::from_secs(11));
        granted(&fixture, "work", "b").await
    };
    assert!(next.fence > first.fence, "{next:?} after {first:?}");
}

/// Counting does not begin anew when there is no holder.
pub async fn a_released_lease_keeps_its_fence_over_a_restart(mut fixture: Fixture) {
    let first = granted(&fixture, "work", "a").await;
    release(&fixture, &first).await;
    fixture.restart().await;
    assert!(granted(&fixture, "work", "a").await.fence > first.fence);
}

/// Free, and after it has ended.
pub async fn of_many_who_ask_at_once_one_gets_the_lease(fixture: Fixture) {
    for round in 0..5 {
        let mut racing = tokio::task::JoinSet::new();
        for n in 0..20 {
            let leases = std::sync::Arc::clone(&fixture.storage.leases);
            racing.spawn(async move { leases.acquire("work", &format!("{round}-{n}"), TTL).await });
        }
        let answers = racing.join_all().await;
        let granted = answers.into_iter().filter_map(|answer| answer.expect("an answer")).count();
        assert_eq!(granted, 1, "round {round}");
        fixture.clock.advance(Duration::from_secs(11));
    }
}
