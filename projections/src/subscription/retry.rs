//! Retrying parked events: asked for from anywhere, done by the holder of the lease, between two batches.
//!
//! The request is the letter's own status, so it reaches the holder in whichever instance it runs, and nobody else
//! writes the rows or states that the holder writes.

use super::follow::{Ended, Follow};
use super::{HandleError, Monitor};
use crate::Dependencies;
use composable_rust_core::error_chain;
use composable_rust_core::port::{
    DeadLetter, DeadLetterFilter, DlqStatus, LogQuery, PageRequest, StoreError,
};
use composable_rust_core::{DeadLetterId, Position, RecordedEvent, StreamId, elapsed};
use std::collections::BTreeSet;
use std::time::Duration;

/// Letters read at once.
const LETTERS: u32 = 1000;

/// What became of a retry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RetryOutcome {
    /// The event is handled. Later ones of its stream follow at once.
    Resolved,
    /// It failed again, for this reason, or was discarded meanwhile.
    Failed(Vec<String>),
    /// There is no such letter, or it is not pending.
    NotPending,
    /// The subscription has not come to it in time; it will, unless it stands still.
    Underway,
}

/// Asks the subscription to handle a parked event again, then the later ones of its stream in order, and waits for
/// the outcome of this one for at most `patience`.
///
/// An earlier parked event of the same stream is handled first. `monitor` is that of the subscription in this
/// instance, which need not hold the lease; `by` names who asks.
///
/// # Errors
/// [`StoreError`] when the store failed.
///
/// # Cancel safety
/// Dropping the future stops the waiting, not the retry.
pub async fn retry_dead_letter(
    deps: &Dependencies,
    monitor: &Monitor,
    id: DeadLetterId,
    by: &str,
    patience: Duration,
) -> Result<RetryOutcome, StoreError> {
    let queue = &deps.storage.dead_letters;
    if !queue.transition(id, &[DlqStatus::Pending], DlqStatus::Processing, Some(by), None).await? {
        return Ok(RetryOutcome::NotPending);
    }
    let clock = &deps.environment.clock;
    let asked_at = clock.now();
    monitor.nudge();
    loop {
        let changed = monitor.changed();
        match queue.get(id).await? {
            None => return Ok(RetryOutcome::NotPending),
            Some(found) => match found.status {
                DlqStatus::Resolved => return Ok(RetryOutcome::Resolved),
                DlqStatus::Pending | DlqStatus::Discarded => {
                    return Ok(RetryOutcome::Failed(found.letter.error_chain));
                }
                DlqStatus::Processing => {}
            },
        }
        let waited = elapsed(asked_at, clock.now());
        if waited >= patience {
            return Ok(RetryOutcome::Underway);
        }
        tokio::select! {
            biased;
            () = changed => {}
            () = clock.sleep(patience.saturating_sub(waited).min(Duration::from_millis(250))) => {}
        }
    }
}

impl Follow<'_> {
    /// Handles what somebody asked to retry; cheap while nothing is parked.
    pub(super) async fn retry_parked(&mut self) -> Result<(), Ended> {
        if self.monitor.parking().is_empty() && !self.subscriber.shares_parking() {
            return Ok(());
        }
        let now = self.deps.environment.now();
        if self.parked_checked_at.is_some_and(|at| elapsed(at, now) < self.options.parked_check) {
            return Ok(());
        }
        self.parked_checked_at = Some(now);
        let mut failures = 0;
        while let Err(error) = self.retry_requested().await {
            failures += 1;
            self.back_off(error, failures).await?;
        }
        Ok(())
    }

    async fn retry_requested(&mut self) -> Result<(), HandleError> {
        self.load_parked().await?;
        if self.monitor.parking().is_empty() {
            return Ok(());
        }
        let requested = self.letters(None, &[DlqStatus::Processing]).await?;
        let streams: BTreeSet<StreamId> = requested.into_iter().map(|found| found.letter.stream).collect();
        for stream in &streams {
            self.retry_stream(stream).await?;
        }
        self.load_parked().await?;
        Ok(())
    }

    /// Handles the parked events of a stream in order, until one fails.
    async fn retry_stream(&mut self, stream: &StreamId) -> Result<(), HandleError> {
        loop {
            let letters = self.letters(Some(stream), &[DlqStatus::Pending, DlqStatus::Processing]).await?;
            if letters.is_empty() {
                return Ok(());
            }
            for letter in letters {
                if self.shutdown.is_cancelled() {
                    return Ok(());
                }
                // What a crash left ahead of the checkpoint will be read, and parked, again.
                let ahead = letter.letter.position.is_some_and(|position| position > self.saved);
                if ahead || !self.retry_letter(letter).await? {
                    return Ok(());
                }
                self.monitor.touch();
            }
        }
    }

    /// Whether the event is handled now and the next one may follow.
    async fn retry_letter(&mut self, found: DeadLetter) -> Result<bool, HandleError> {
        let result = match self.event_of(&found).await? {
            Some(event) if self.waits_elsewhere(&event, &found.letter.stream) => Err(HandleError::Poison {
                position: event.position,
                source: "what it concerns has dead letters of its own: retry those first".into(),
            }),
            Some(event) => self.subscriber.handle_parked(&event, self.fence).await,
            None => self.subscriber.handle_letter(&found.letter).await,
        };
        self.monitor.gave();
        let queue = &self.deps.storage.dead_letters;
        match result {
            Ok(()) => {
                let by = found.resolved_by.as_deref().unwrap_or("retry");
                let from = [DlqStatus::Pending, DlqStatus::Processing];
                let notes = Some("handled on retry");
                queue.transition(found.letter.id, &from, DlqStatus::Resolved, Some(by), notes).await?;
                Ok(true)
            }
            Err(HandleError::Poison { source, .. }) => {
                self.still_failing(found, error_chain(source.as_ref())).await?;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether an event that is parked under `stream`, since it could not be read, can be read now and concerns what is
    /// parked under another.
    fn waits_elsewhere(&self, event: &RecordedEvent, stream: &StreamId) -> bool {
        let key = self.subscriber.parking_key(event).filter(|key| key != stream);
        key.is_some_and(|key| self.monitor.parking().contains(&key))
    }

    /// Back to pending: this letter with its new error, and with it whatever was asked for of its stream.
    async fn still_failing(
        &mut self,
        found: DeadLetter,
        error_chain: Vec<String>,
    ) -> Result<(), HandleError> {
        let queue = &self.deps.storage.dead_letters;
        let stream = found.letter.stream.clone();
        let mut letter = found.letter;
        letter.attempts += 1;
        letter.error_chain = error_chain;
        letter.last_failed_at = self.deps.environment.now();
        queue.add(letter).await?;
        let from = [DlqStatus::Processing];
        loop {
            let asked_for = self.letters(Some(&stream), &from).await?;
            if asked_for.is_empty() {
                self.monitor.touch();
                return Ok(());
            }
            for later in asked_for {
                queue.transition(later.letter.id, &from, DlqStatus::Pending, None, None).await?;
            }
        }
    }

    /// The first letters of this subscription with one of `statuses`, in the order in which they are handled: first what
    /// is no event, since it follows from events before those that are parked.
    async fn letters(
        &self,
        stream: Option<&StreamId>,
        statuses: &[DlqStatus],
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let filter = DeadLetterFilter {
            subscription: Some(self.monitor.name().to_owned()),
            statuses: statuses.to_vec(),
            stream: stream.cloned(),
        };
        Ok(self.deps.storage.dead_letters.list(&filter, PageRequest::first(LETTERS)).await?.items)
    }

    /// The event of a letter, read from the log again; `None` when the letter is of no event.
    async fn event_of(&self, found: &DeadLetter) -> Result<Option<RecordedEvent>, StoreError> {
        let Some(position) = found.letter.position else { return Ok(None) };
        let before = Position::try_from(position.get().saturating_sub(1)).unwrap_or(Position::ZERO);
        let page = self.deps.storage.events.read_log(LogQuery::after(before, 1)).await?;
        match page.events.into_iter().next() {
            Some(event) if event.position == position => Ok(Some(event)),
            _ => {
                Err(StoreError::Corrupt(format!("the parked event at position {position} is not in the log")))
            }
        }
    }
}
