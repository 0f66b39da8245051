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
            Direction::Forwards => indexes.iter().skip(boundary).take(range.limit).map(event).collect(),
            Direction::Backwards => {
                let before = boundary.saturating_sub(1).min(indexes.len());
                indexes[..before].iter().rev().take(range.limit).map(event).collect()
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
        let events: Vec<RecordedEvent> =
            self.log[start..].iter().filter(wanted).take(query.limit).cloned().collect();
        let horizon = self.horizon();
        let read_to = if events.len() < query.limit {
            horizon.max(query.after)
        } else {
            events.last().map_or(query.after, |event| event.position)
        };
        LogPage { events, read_to, horizon }
    }
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
