//! Retrying what could not be handled, wherever it failed.

use super::shared::Shared;
use crate::process::{is_work, reschedule};
use composable_rust_core::DeadLetterId;
use composable_rust_core::port::{DeadLetter, DlqStatus, StoreError};
use composable_rust_projections::{RetryOutcome, retry_dead_letter};
use std::time::Duration;

/// How long a retry by a subscription is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Hands the letter back to what failed on it: a subscription, a projection, or the worker of a process.
pub(super) async fn retry(shared: &Shared, id: DeadLetterId, by: &str) -> Result<RetryOutcome, StoreError> {
    let Some(letter) = shared.deps.storage.dead_letters.get(id).await? else {
        return Ok(RetryOutcome::NotPending);
    };
    let subscription = letter.letter.subscription.as_str();
    if is_work(subscription) {
        return retry_work(shared, &letter, by).await;
    }
    if let Some(monitor) = shared.monitors.iter().find(|monitor| monitor.name() == subscription) {
        return retry_dead_letter(&shared.deps, monitor, id, by, PATIENCE).await;
    }
    let mut projections = shared.projections.iter();
    match projections.find(|projection| projection.subscription().as_deref() == Some(subscription)) {
        Some(projection) => projection.retry(id, by, PATIENCE).await,
        None => Ok(RetryOutcome::NotPending),
    }
}

/// Work is handed back by setting its timer again; should it fail once more, it comes back as a new letter.
async fn retry_work(shared: &Shared, letter: &DeadLetter, by: &str) -> Result<RetryOutcome, StoreError> {
    let queue = &shared.deps.storage.dead_letters;
    let id = letter.letter.id;
    if !queue.transition(id, &[DlqStatus::Pending], DlqStatus::Processing, Some(by), None).await? {
        return Ok(RetryOutcome::NotPending);
    }
    let storage = &shared.deps.storage;
    if let Err(error) = reschedule(&*storage.events, letter, shared.deps.environment.now()).await {
        queue.transition(id, &[DlqStatus::Processing], DlqStatus::Pending, None, None).await?;
        return Err(error);
    }
    queue.transition(id, &[DlqStatus::Processing], DlqStatus::Resolved, Some(by), None).await?;
    Ok(RetryOutcome::Resolved)
}
