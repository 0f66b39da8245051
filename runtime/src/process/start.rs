//! From where in the log a process hears that is new under its name. Not here: how it goes on, which its checkpoint says.

use super::subscription_name;
use composable_rust_core::port::{Checkpoint, LogQuery, StoreError};
use composable_rust_core::{Position, Process, ProcessStart};
use composable_rust_projections::{Dependencies, Leasing, SubscriptionOptions};
use tokio_util::sync::CancellationToken;

/// Before a process runs for the first time that starts [`ProcessStart::Now`], notes the end of the log, so that all
/// that is appended after it is heard, whoever runs the process then and however often it crashes before that.
///
/// # Errors
/// [`StoreError`] when the store failed.
///
/// # Cancel safety
/// Dropping the future leaves it noted or not.
pub(crate) async fn note_start<P: Process>(
    deps: &Dependencies,
    options: &SubscriptionOptions,
) -> Result<(), StoreError> {
    match P::START {
        ProcessStart::Beginning => Ok(()),
        ProcessStart::Now => note(deps, options, &subscription_name(P::NAME)).await,
    }
}

/// Where a process starts that has handled nothing yet.
pub(super) async fn first_position<P: Process>(deps: &Dependencies) -> Result<Position, StoreError> {
    match P::START {
        ProcessStart::Beginning => Ok(Position::ZERO),
        ProcessStart::Now => {
            noted(deps, &book(&subscription_name(P::NAME))).await.map(Option::unwrap_or_default)
        }
    }
}

async fn note(
    deps: &Dependencies,
    options: &SubscriptionOptions,
    subscription: &str,
) -> Result<(), StoreError> {
    let (checkpoints, book) = (&deps.storage.checkpoints, book(subscription));
    loop {
        let has_run = checkpoints.load_checkpoint(subscription).await? > Position::ZERO;
        if has_run || noted(deps, &book).await?.is_some() {
            return Ok(());
        }
        // Two applications that start at once must not each note an end of their own: the later one would make the
        // process skip what the earlier one has promised to hear.
        let leasing = Leasing::new(book.clone(), options);
        let Some(lease) = leasing.acquire(deps, &CancellationToken::new()).await else { continue };
        let write = |position| Checkpoint { subscription: book.clone(), position, fence: lease.fence };
        let written = async {
            checkpoints.save_checkpoint(write(Position::ZERO)).await?;
            if noted(deps, &book).await?.is_none() {
                let known = deps.storage.events.signal().position();
                let page = deps.storage.events.read_log(LogQuery::after(known, 1)).await?;
                checkpoints.save_checkpoint(write(page.horizon.next())).await?;
            }
            Ok(())
        };
        let written = written.await;
        leasing.release(deps, &lease).await;
        match written {
            Err(StoreError::Fenced { .. }) => {}
            other => return other,
        }
    }
}

/// The book is one ahead of the position, so that the end of an empty log is noted too.
async fn noted(deps: &Dependencies, book: &str) -> Result<Option<Position>, StoreError> {
    let noted = deps.storage.checkpoints.load_checkpoint(book).await?;
    Ok(noted.get().checked_sub(1).and_then(|position| Position::try_from(position).ok()))
}

fn book(subscription: &str) -> String {
    format!("{subscription}:start")
}
