//! The event store as an application uses it: with a stopwatch, counts of what is written and of how often somebody else
//! came first, and a note of whether the last append was written.

use super::writes::{Writes, writes};
use async_trait::async_trait;
use composable_rust_core::port::{
    Append, AppendError, Appended, CommandRecord, EventStore, LogPage, LogQuery, StoreError, StoredResponse,
    StreamRange,
};
use composable_rust_core::{Clock, CommandId, RecordedEvent, Signal, StreamId, StreamVersion, elapsed};
use std::sync::Arc;

/// Passes everything on to `inner`, and records it.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) inner: Arc<dyn EventStore>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) writes: Writes,
}

impl Watched {
    async fn timed<T>(&self, operation: &'static str, work: impl Future<Output = T> + Send) -> T {
        let started = self.clock.now();
        let answer = work.await;
        let took = elapsed(started, self.clock.now());
        metrics::histogram!("db_query_duration_seconds", "operation" => operation).record(took.as_secs_f64());
        answer
    }
}

fn count(results: &[Result<Appended, AppendError>], events: u64) {
    metrics::counter!("events_appended_total").increment(events);
    let conflicts =
        results.iter().filter(|result| matches!(result, Err(AppendError::Conflict { .. }))).count();
    metrics::counter!("append_conflicts_total").increment(conflicts as u64);
}

fn events_of(append: &Append) -> u64 {
    append.streams.iter().map(|stream| stream.events.len() as u64).sum()
}

#[async_trait]
impl EventStore for Watched {
    async fn append_batch(
        &self,
        batch: Vec<Append>,
    ) -> Result<Vec<Result<Appended, AppendError>>, StoreError> {
        let sizes: Vec<u64> = batch.iter().map(events_of).collect();
        let writing: Vec<bool> = batch.iter().map(writes).collect();
        let results = self.timed("append", self.inner.append_batch(batch)).await;
        self.writes.note(&writing, &results);
        let results = results?;
        let written = results.iter().zip(sizes).filter(|(result, _)| result.is_ok());
        count(&results, written.map(|(_, events)| events).sum());
        Ok(results)
    }

    async fn read_stream(
        &self,
        stream: &StreamId,
        range: StreamRange,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        self.timed("load", self.inner.read_stream(stream, range)).await
    }

    async fn stream_version(&self, stream: &StreamId) -> Result<StreamVersion, StoreError> {
        self.inner.stream_version(stream).await
    }

    async fn read_log(&self, query: LogQuery<'_>) -> Result<LogPage, StoreError> {
        self.timed("read_log", self.inner.read_log(query)).await
    }

    async fn find_command(&self, id: CommandId) -> Result<Option<CommandRecord>, StoreError> {
        self.timed("find_command", self.inner.find_command(id)).await
    }

    async fn save_response(&self, id: CommandId, response: StoredResponse) -> Result<(), StoreError> {
        self.inner.save_response(id, response).await
    }

    async fn save_responses(&self, responses: Vec<(CommandId, StoredResponse)>) -> Result<(), StoreError> {
        self.inner.save_responses(responses).await
    }

    fn signal(&self) -> &Signal {
        self.inner.signal()
    }
}
