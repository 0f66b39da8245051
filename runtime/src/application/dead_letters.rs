//! Retrying what could not be handled, wherever it failed.

use super::shared::Shared;
use composable_rust_core::DeadLetterId;
use composable_rust_core::port::{DeadLetterFilter, DlqStatus, PageRequest, StoreError};
use composable_rust_projections::{Monitor, ProjectionControl, RetryOutcome, retry_dead_letter};
use std::collections::BTreeSet;
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

/// Letters read at once.
const LETTERS: u32 = 500;

/// Asks for a retry of each pending letter, without waiting for any: the request is the letter's status.
pub(super) async fn retry_all(
    shared: &Shared,
    filter: &DeadLetterFilter,
    by: &str,
) -> Result<u64, StoreError> {
    let queue = &shared.deps.storage.dead_letters;
    let filter = DeadLetterFilter { statuses: vec![DlqStatus::Pending], ..filter.clone() };
    let live = shared.projections.iter().filter_map(ProjectionControl::subscription);
    let own = shared.monitors.iter().map(|monitor| monitor.name().to_owned());
    let handled: BTreeSet<String> = live.chain(own).collect();
    let mut ids = Vec::new();
    let mut page = PageRequest::first(LETTERS);
    loop {
        let letters = queue.list(&filter, page).await?.items;
        let is_last = letters.len() < LETTERS as usize;
        let known = letters.into_iter().filter(|found| handled.contains(&found.letter.subscription));
        ids.extend(known.map(|found| found.letter.id));
        if is_last {
            break;
        }
        page.page += 1;
    }
    let mut asked = 0;
    for id in ids {
        let from = [DlqStatus::Pending];
        asked += u64::from(queue.transition(id, &from, DlqStatus::Processing, Some(by), None).await?);
    }
    shared.monitors.iter().for_each(Monitor::nudge);
    Ok(asked)
}
