//! Retrying what could not be handled, wherever it failed.

use super::shared::Shared;
use composable_rust_core::DeadLetterId;
use composable_rust_core::port::StoreError;
use composable_rust_projections::{RetryOutcome, retry_dead_letter};
use std::time::Duration;

/// How long a retry by a subscription is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Hands the letter back to what failed on it: a subscription or a projection.
pub(super) async fn retry(shared: &Shared, id: DeadLetterId, by: &str) -> Result<RetryOutcome, StoreError> {
    let Some(letter) = shared.deps.storage.dead_letters.get(id).await? else {
        return Ok(RetryOutcome::NotPending);
    };
    let subscription = letter.letter.subscription.as_str();
    if let Some(monitor) = shared.monitors.iter().find(|monitor| monitor.name() == subscription) {
        return retry_dead_letter(&shared.deps, monitor, id, by, PATIENCE).await;
    }
    let mut projections = shared.projections.iter();
    match projections.find(|projection| projection.subscription().as_deref() == Some(subscription)) {
        Some(projection) => projection.retry(id, by, PATIENCE).await,
        None => Ok(RetryOutcome::NotPending),
    }
}
