//! The event store in memory. Appending is in `append.rs`.

use super::{MemoryAdapter, append};
use async_trait::async_trait;
use composable_rust_core::port::{
    Append, AppendError, Appended, CommandRecord, Direction, EventStore, LogPage, LogQuery, StoreError,
    StoredResponse, StreamRange,
};
use composable_rust_core::{CommandId, Position, RecordedEvent, Signal, StreamId, StreamVersion};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The log, the streams as places in it, and the command records.
#[derive(Debug, Default)]
pub(super) struct EventTables {
    /// The event at position `n` has index `n - 1`.
    pub(super) log: Vec<RecordedEvent>,
    pub(super) streams: BTreeMap<StreamId, Vec<usize>>,
    pub(super) commands: BTreeMap<CommandId, KeptCommand>,
}

#[derive(Debug)]
pub(super) struct KeptCommand {
    pub(super) record: CommandRecord,
    pub(super) until: Option<Timestamp>,
}

impl EventTables {
    pub(super) fn version(&self, stream: &StreamId) -> StreamVersion {
        StreamVersion::ZERO.plus(self.streams.get(stream).map_or(0, Vec::len) as u64)
    }

    pub(super) fn horizon(&self) -> Position {
        Position::ZERO.plus(self.log.len() as u64)
    }

    /// The record of a command that is still kept.
    pub(super) fn command(&mut self, id: CommandId, now: Timestamp) -> Option<&mut CommandRecord> {
        let kept = self.commands.get_mut(&id)?;
        kept.until.is_none_or(|until| now < until).then_some(&mut kept.record)
    }

    fn range(&self, stream: &StreamId, range: StreamRange) -> Vec<RecordedEvent> {
        let indexes = self.streams.get(stream).map_or(&[][..], Vec::as_slice);
        let boundary = usize::try_from(range.boundary.get()).unwrap_or(usize::MAX);
        let event = |index: &usize| self.log[*index].clone();
        match range.direction {
            Direction::Forwards => {
                fill(indexes.iter().skip(boundary).map(event), range.limit, range.max_bytes)
            }
            Direction::Backwards => {
                let before = boundary.saturating_sub(1).min(indexes.len());
                fill(indexes[..before].iter().rev().map(event), range.limit, range.max_bytes)
            }
        }
    }

    fn page(&self, query: &LogQuery<'_>) -> LogPage {
        let wanted = |event: &&RecordedEvent| {
            query.categories.is_none_or(|categories| {
                categories.iter().any(|category| category == event.stream.category())
            })
        };
        let start = usize::try_from(query.after.get()).unwrap_or(usize::MAX).min(self.log.len());
        let found = self.log[start..].iter().filter(wanted).cloned();
        let events = fill(found, query.limit, query.max_bytes);
        let horizon = self.horizon();
        let read_to = match events.last() {
            Some(last) if query.is_filled_by(&events) => last.position,
            None if query.limit == 0 => query.after,
            Some(_) | None => horizon.max(query.after),
        };
        LogPage { events, read_to, horizon }
    }
}

/// Takes events until the page is full.
fn fill(found: impl Iterator<Item = RecordedEvent>, limit: usize, max_bytes: usize) -> Vec<RecordedEvent> {
    let mut held = 0;
    let fits = |event: &RecordedEvent| {
        let before = held;
        held += event.content_bytes();
        before == 0 || before < max_bytes
    };
    found.take(limit).take_while(fits).collect()
}

#[async_trait]
impl EventStore for MemoryAdapter {
    async fn append_batch(
        &self,
        batch: Vec<Append>,
    ) -> Result<Vec<Result<Appended, AppendError>>, StoreError> {
        self.perform("append", |tables, now| {
            let results = append::append_batch(tables, batch, now);
            self.storage.signal.advance(tables.events.horizon());
            results
        })
        .await
    }

    async fn read_stream(
        &self,
        stream: &StreamId,
        range: StreamRange,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        self.perform("read_stream", |tables, _| tables.events.range(stream, range)).await
    }

    async fn stream_version(&self, stream: &StreamId) -> Result<StreamVersion, StoreError> {
        self.perform("stream_version", |tables, _| tables.events.version(stream)).await
    }

    async fn read_log(&self, query: LogQuery<'_>) -> Result<LogPage, StoreError> {
        self.perform("read_log", |tables, _| tables.events.page(&query)).await
    }

    async fn find_command(&self, id: CommandId) -> Result<Option<CommandRecord>, StoreError> {
        self.perform("find_command", |tables, now| tables.events.command(id, now).cloned()).await
    }

    async fn save_response(&self, id: CommandId, response: StoredResponse) -> Result<(), StoreError> {
        self.perform("save_response", |tables, now| {
            if let Some(record) = tables.events.command(id, now) {
                record.response.get_or_insert(response);
            }
        })
        .await
    }

    fn signal(&self) -> &Signal {
        &self.storage.signal
    }
}
