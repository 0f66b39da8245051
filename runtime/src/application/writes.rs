//! Whether the last append was written.
//!
//! A disk that is full can still be read, so reading does not tell whether commands can be answered. Not here: who
//! notes it (`watched.rs`), and what health makes of it.

use bytes::Bytes;
use composable_rust_core::port::{Append, AppendError, Appended, CommandKey, EventStore, StoreError};
use composable_rust_core::{CommandId, Environment, describe};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// More than one page of a database: where it fits, an ordinary append does.
const PROBE_BYTES: usize = 16 * 1024;
/// How long what a probe wrote is kept.
const PROBE_KEPT: Duration = Duration::from_secs(1);

/// Whether appends are written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Writes {
    /// Why the last append was not.
    failure: Arc<Mutex<Option<String>>>,
}

impl Writes {
    /// Why appends fail, if the last one did. Then this tries one itself: whoever is told that nothing can be written
    /// sends nothing, so that nobody else would find out that it can again. The probe is a command's key without events.
    ///
    /// # Errors
    /// The reason.
    pub(super) async fn check(
        &self,
        events: &dyn EventStore,
        environment: &Environment,
    ) -> Result<(), String> {
        if self.lock().is_none() {
            return Ok(());
        }
        let ballast = Bytes::from(vec![0; PROBE_BYTES]);
        let id = CommandId::from_uuid(environment.new_id());
        let key = CommandKey { id, fingerprint: Some(ballast), keep: Some(PROBE_KEPT) };
        // Its outcome is noted like that of any append.
        drop(events.append(Append::default().answering(key)).await);
        self.lock().clone().map_or(Ok(()), Err)
    }

    /// Notes what became of a batch; `writing` says which of its appends had anything to write.
    pub(super) fn note(
        &self,
        writing: &[bool],
        results: &Result<Vec<Result<Appended, AppendError>>, StoreError>,
    ) {
        let results = match results {
            Ok(results) => results,
            Err(error) => return self.failed(error),
        };
        let failure = results.iter().find_map(|result| match result {
            Err(AppendError::Store(error)) => Some(error),
            // A refusal: the store looked, and had nothing to write.
            Ok(_) | Err(_) => None,
        });
        if let Some(error) = failure {
            return self.failed(error);
        }
        if results.iter().zip(writing).any(|(result, writes)| result.is_ok() && *writes) {
            *self.lock() = None;
        }
    }

    fn failed(&self, error: &StoreError) {
        // These tell of the caller, not of the store.
        if !matches!(error, StoreError::InvalidRequest(_) | StoreError::Fenced { .. }) {
            *self.lock() = Some(format!("events cannot be written: {}", describe(error)));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        // Nothing panics while it is held.
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether there is anything to write; else it is only a check.
pub(super) fn writes(append: &Append) -> bool {
    append.command.is_some() || append.streams.iter().any(|part| !part.events.is_empty())
}
