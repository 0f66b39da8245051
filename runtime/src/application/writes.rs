//! The event store as an application uses it: it remembers whether the last append was written.
//!
//! A disk that is full can still be read, so reading does not tell whether commands can be answered. Not here: what
//! health makes of it.

use async_trait::async_trait;
use bytes::Bytes;
use composable_rust_core::port::{
    Append, AppendError, Appended, CommandKey, CommandRecord, EventStore, LogPage, LogQuery, StoreError,
    StoredResponse, StreamRange,
};
use composable_rust_core::{CommandId, Environment, RecordedEvent, Signal, StreamId, StreamVersion};
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
    /// `events`, watched by this.
    pub(crate) fn watch(&self, events: Arc<dyn EventStore>) -> Arc<dyn EventStore> {
        Arc::new(Watched { events, writes: self.clone() })
    }

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
    fn note(&self, writing: &[bool], results: &Result<Vec<Result<Appended, AppendError>>, StoreError>) {
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
            *self.lock() = Some(format!("events cannot be written: {}", chain(error)));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        // Nothing panics while it is held.
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An event store of which the appends are watched.
#[derive(Debug)]
struct Watched {
    events: Arc<dyn EventStore>,
    writes: Writes,
}

#[async_trait]
impl EventStore for Watched {
    async fn append_batch(
        &self,
        batch: Vec<Append>,
    ) -> Result<Vec<Result<Appended, AppendError>>, StoreError> {
        let writing: Vec<bool> = batch.iter().map(writes).collect();
        let results = self.events.append_batch(batch).await;
        self.writes.note(&writing, &results);
        results
    }

    async fn read_stream(
        &self,
        stream: &StreamId,
        range: StreamRange,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        self.events.read_stream(stream, range).await
    }

    async fn stream_version(&self, stream: &StreamId) -> Result<StreamVersion, StoreError> {
        self.events.stream_version(stream).await
    }

    async fn read_log(&self, query: LogQuery<'_>) -> Result<LogPage, StoreError> {
        self.events.read_log(query).await
    }

    async fn find_command(&self, id: CommandId) -> Result<Option<CommandRecord>, StoreError> {
        self.events.find_command(id).await
    }

    async fn save_response(&self, id: CommandId, response: StoredResponse) -> Result<(), StoreError> {
        self.events.save_response(id, response).await
    }

    async fn save_responses(&self, responses: Vec<(CommandId, StoredResponse)>) -> Result<(), StoreError> {
        self.events.save_responses(responses).await
    }

    fn signal(&self) -> &Signal {
        self.events.signal()
    }
}

/// Whether there is anything to write; else it is only a check.
fn writes(append: &Append) -> bool {
    append.command.is_some() || append.streams.iter().any(|part| !part.events.is_empty())
}

/// An error with its causes.
fn chain(error: &StoreError) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
