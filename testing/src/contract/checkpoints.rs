//! The contract of the checkpoint store.

use super::fixture::Fixture;
use composable_rust_core::Position;
use composable_rust_core::port::StoreError;

/// Runs the contract of [`CheckpointStore`](composable_rust_core::port::CheckpointStore) on what `factory` makes: an
/// `async fn() -> Subject`, see [the module's example](crate::contract).
#[macro_export]
macro_rules! checkpoints_contract {
    ($factory:path) => {
        $crate::contract_cases!(
            $factory,
            checkpoints,
            [
                a_subscription_that_never_ran_stands_at_zero,
                a_checkpoint_comes_back,
                a_checkpoint_never_moves_backwards,
                a_lower_fence_is_refused,
                a_higher_fence_takes_over,
                a_higher_fence_is_saved_at_any_position,
                subscriptions_are_apart,
                checkpoints_and_fences_survive_a_restart,
                of_racing_checkpoints_the_furthest_stays,
            ]
        );
    };
}

async fn load(fixture: &Fixture, subscription: &str) -> u64 {
    fixture.storage.checkpoints.load_checkpoint(subscription).await.expect("a position").get()
}

async fn save(fixture: &Fixture, name: &str, position: u32, fence: u64) -> Result<(), StoreError> {
    fixture.storage.checkpoints.save_checkpoint(Fixture::checkpoint(name, position, fence)).await
}

/// It begins with the first event.
pub async fn a_subscription_that_never_ran_stands_at_zero(fixture: Fixture) {
    assert_eq!(load(&fixture, "never").await, 0);
}

/// The largest position too.
pub async fn a_checkpoint_comes_back(fixture: Fixture) {
    save(&fixture, "it's 50% 🎟", 17, 1).await.expect("a checkpoint");
    assert_eq!(load(&fixture, "it's 50% 🎟").await, 17);
    let checkpoint = composable_rust_core::port::Checkpoint {
        position: Position::MAX,
        ..Fixture::checkpoint("far", 0, 1)
    };
    fixture.storage.checkpoints.save_checkpoint(checkpoint).await.expect("a checkpoint");
    assert_eq!(load(&fixture, "far").await, Position::MAX.get());
}

/// A lower position is no failure and no progress.
pub async fn a_checkpoint_never_moves_backwards(fixture: Fixture) {
    for (position, stands) in [(5, 5), (9, 9), (3, 9), (9, 9), (0, 9), (10, 10)] {
        save(&fixture, "a", position, 1).await.expect("a lower position is accepted");
        assert_eq!(load(&fixture, "a").await, stands, "after {position}");
    }
}

/// Who has lost the lease is told, and changes nothing.
pub async fn a_lower_fence_is_refused(fixture: Fixture) {
    save(&fixture, "a", 5, 7).await.expect("a checkpoint");
    let refused = save(&fixture, "a", 9, 6).await;
    assert!(matches!(refused, Err(StoreError::Fenced { .. })), "got {refused:?}");
    assert!(!refused.is_err_and(|error| error.is_transient()), "there is nothing to retry");
    assert_eq!(load(&fixture, "a").await, 5);
}

/// From the first save of a new holder on, the old one is refused.
pub async fn a_higher_fence_takes_over(fixture: Fixture) {
    save(&fixture, "a", 5, 1).await.expect("the first holder");
    save(&fixture, "a", 6, 2).await.expect("the second holder");
    assert!(matches!(save(&fixture, "a", 7, 1).await, Err(StoreError::Fenced { .. })));
    save(&fixture, "a", 7, 2).await.expect("the second holder goes on");
    assert_eq!(load(&fixture, "a").await, 7);
}

/// A new holder that has done nothing yet shuts the old one out, also where nobody has saved before.
pub async fn a_higher_fence_is_saved_at_any_position(fixture: Fixture) {
    save(&fixture, "a", 5, 1).await.expect("the first holder");
    for (fence, position) in [(2, 5), (3, 0), (4, 3)] {
        save(&fixture, "a", position, fence).await.expect("a newer holder");
        for late in [0, 5, 6] {
            let refused = save(&fixture, "a", late, fence - 1).await;
            assert!(matches!(refused, Err(StoreError::Fenced { .. })), "at {late} got {refused:?}");
        }
        assert_eq!(load(&fixture, "a").await, 5);
    }
    save(&fixture, "new", 0, 2).await.expect("a holder that has done nothing");
    assert!(matches!(save(&fixture, "new", 1, 1).await, Err(StoreError::Fenced { .. })));
    save(&fixture, "a", 6, 4).await.expect("the newest holder goes on");
    assert_eq!(load(&fixture, "a").await, 6);
}

/// Names are compared whole; fences are apart as well.
pub async fn subscriptions_are_apart(fixture: Fixture) {
    for (position, name) in [(1, "a"), (2, "A"), (3, "a%"), (4, "ab")] {
        save(&fixture, name, position, u64::from(10 - position)).await.expect("a checkpoint");
    }
    for (position, name) in [(1, "a"), (2, "A"), (3, "a%"), (4, "ab")] {
        assert_eq!(load(&fixture, name).await, position, "{name}");
    }
}

/// Both are durable.
pub async fn checkpoints_and_fences_survive_a_restart(mut fixture: Fixture) {
    save(&fixture, "a", 5, 7).await.expect("a checkpoint");
    fixture.restart().await;
    assert_eq!(load(&fixture, "a").await, 5);
    assert!(matches!(save(&fixture, "a", 9, 6).await, Err(StoreError::Fenced { .. })));
}

/// In whichever order concurrent saves take effect.
pub async fn of_racing_checkpoints_the_furthest_stays(fixture: Fixture) {
    let mut racing = tokio::task::JoinSet::new();
    for n in 1..=20_u32 {
        let checkpoints = std::sync::Arc::clone(&fixture.storage.checkpoints);
        let checkpoint = Fixture::checkpoint("a", n * 7 % 20 + 1, 1);
        racing.spawn(async move { checkpoints.save_checkpoint(checkpoint).await });
    }
    for saved in racing.join_all().await {
        saved.expect("a lower position is accepted");
    }
    assert_eq!(load(&fixture, "a").await, 20);
}
