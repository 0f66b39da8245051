//! The port of the log: appends, streams, the global order, and the results of commands.

use super::{StoreError, TimerChanges, pages};
use crate::{CommandId, ExpectedVersion, NewEvent, Position, RecordedEvent, Signal, StreamId, StreamVersion};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt};
use jiff::Timestamp;
use smallvec::SmallVec;
use std::fmt;
use std::time::Duration;

/// Largest payload of one event in bytes (1 MiB); a larger one is refused by every store.
pub const MAX_PAYLOAD_BYTES: usize = 1024 * 1024;

/// Bytes of payloads and metadata at which a page of events ends, unless said otherwise (8 MiB).
pub const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// Events for one stream within an [`Append`].
#[derive(Debug, Clone)]
pub struct StreamAppend {
    /// The stream.
    pub stream: StreamId,
    /// What its version must be.
    pub expected: ExpectedVersion,
    /// What to add, in order; empty only checks the version.
    pub events: Vec<NewEvent>,
}

/// The identity of the command that an append answers, stored in the append's own transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandKey {
    /// The id; a second append with it is refused with the first one's record.
    pub id: CommandId,
    /// A digest of what was asked, to tell a repeat from another request under the same id.
    pub fingerprint: Option<Bytes>,
    /// How long it is kept; `None` keeps it for ever.
    pub keep: Option<Duration>,
}

/// One atomic unit of writing: any number of streams, the command's id and timers, all or nothing.
#[derive(Debug, Clone, Default)]
pub struct Append {
    /// The streams written; each at most once.
    pub streams: SmallVec<[StreamAppend; 1]>,
    /// The command answered, if it is to be idempotent.
    pub command: Option<CommandKey>,
    /// Timers set, cancelled and consumed with it.
    pub timers: TimerChanges,
    /// Indexes of earlier appends of the same batch that must have succeeded, because this one was decided on their
    /// outcome; if one was refused, this is refused as a conflict of its own first stream. An index that is not of an
    /// earlier append counts as refused. An append that depends on others must name a stream, if only to check its
    /// version: else it is refused as [`StoreError::InvalidRequest`], whatever became of the others.
    pub depends_on: SmallVec<[usize; 2]>,
}

impl Append {
    /// An append of `events` to one stream.
    pub fn to(stream: StreamId, expected: ExpectedVersion, events: Vec<NewEvent>) -> Self {
        let mut streams = SmallVec::new();
        streams.push(StreamAppend { stream, expected, events });
        Self { streams, ..Self::default() }
    }

    /// With the command that it answers.
    #[must_use]
    pub fn answering(mut self, command: CommandKey) -> Self {
        self.command = Some(command);
        self
    }
}

/// What one stream became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenStream {
    /// The stream.
    pub stream: StreamId,
    /// Its version before.
    pub before: StreamVersion,
    /// Its version after.
    pub after: StreamVersion,
}

/// A committed append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The position of its last event; of an append without events, a position at or after all that it was decided on.
    pub position: Position,
    /// When the store recorded it.
    pub recorded_at: Timestamp,
    /// Its streams, in the order of [`Append::streams`].
    pub streams: SmallVec<[WrittenStream; 1]>,
}

/// The response that a repeat of a request gets again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredResponse {
    /// Status code.
    pub status: u16,
    /// Headers worth repeating, as name and value.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Bytes,
}

/// The first result of a command id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandRecord {
    /// The id.
    pub id: CommandId,
    /// The digest that came with the first use.
    pub fingerprint: Option<Bytes>,
    /// What was written.
    pub appended: Appended,
    /// The response given to the first caller, once saved.
    pub response: Option<StoredResponse>,
}

/// Why an append was refused or failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The stream is not at the expected version. Load again and decide again; nothing was written.
    #[error("stream {stream} is at version {actual}, expected {expected}")]
    Conflict {
        /// The stream.
        stream: StreamId,
        /// What was believed.
        expected: ExpectedVersion,
        /// What is.
        actual: StreamVersion,
    },
    /// The command id was used before; nothing was written. The record is that of the first use, whatever the repeat
    /// brings: where [`CommandRecord::fingerprint`] or the streams of [`CommandRecord::appended`] are not those of the
    /// repeat, the id was reused for something else, and the caller must refuse it; else return the first result.
    #[error("command {} was already answered", .0.id)]
    Duplicate(Box<CommandRecord>),
    /// A claimed timer is gone: it was cancelled, replaced, or somebody else has already acted on it. Do nothing more.
    #[error("timer {id} is gone or was replaced")]
    TimerGone {
        /// The timer.
        id: crate::TimerId,
    },
    /// A payload is too large. Store large content elsewhere and a reference here; nothing was written.
    #[error("a payload of {bytes} bytes for {stream} is over the limit of {MAX_PAYLOAD_BYTES} bytes")]
    PayloadTooLarge {
        /// The stream.
        stream: StreamId,
        /// Its size.
        bytes: usize,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which way a stream is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Oldest first.
    Forwards,
    /// Newest first.
    Backwards,
}

/// Which part of a stream is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamRange {
    /// Forwards: only events after this version. Backwards: only events before this version.
    pub boundary: StreamVersion,
    /// Which way.
    pub direction: Direction,
    /// At most so many events.
    pub limit: usize,
    /// The event with which payloads and metadata come to so many bytes is the last one.
    pub max_bytes: usize,
}

impl StreamRange {
    /// The first `limit` events after `version`, or as many as [`PAGE_BYTES`] hold.
    pub const fn after(version: StreamVersion, limit: usize) -> Self {
        Self { boundary: version, direction: Direction::Forwards, limit, max_bytes: PAGE_BYTES }
    }

    /// The last `limit` events, newest first, or as many as [`PAGE_BYTES`] hold.
    pub const fn latest(limit: usize) -> Self {
        Self { boundary: StreamVersion::MAX, direction: Direction::Backwards, limit, max_bytes: PAGE_BYTES }
    }

    /// Whether `page`, the answer to this range, ended before the stream did, as far as can be told from its size.
    pub fn is_filled_by(&self, page: &[RecordedEvent]) -> bool {
        is_full(page, self.limit, self.max_bytes)
    }
}

/// Which part of the log is read.
#[derive(Debug, Clone)]
pub struct LogQuery<'a> {
    /// Only events after this position.
    pub after: Position,
    /// At most so many events.
    pub limit: usize,
    /// The event with which payloads and metadata come to so many bytes is the last one of the page.
    pub max_bytes: usize,
    /// Only streams of these categories; `None` reads all.
    pub categories: Option<&'a [String]>,
}

impl<'a> LogQuery<'a> {
    /// The first `limit` events after `position`, or as many as [`PAGE_BYTES`] hold.
    pub const fn after(position: Position, limit: usize) -> Self {
        Self { after: position, limit, max_bytes: PAGE_BYTES, categories: None }
    }

    /// Only those of streams of `categories`.
    #[must_use]
    pub const fn of(self, categories: Option<&'a [String]>) -> Self {
        Self { categories, ..self }
    }

    /// Whether `events`, found for this query, are a full page.
    pub fn is_filled_by(&self, events: &[RecordedEvent]) -> bool {
        is_full(events, self.limit, self.max_bytes)
    }
}

/// Whether a page ends because it is full, not because there is no more.
fn is_full(events: &[RecordedEvent], limit: usize, max_bytes: usize) -> bool {
    let held = || events.iter().map(RecordedEvent::content_bytes).sum::<usize>();
    !events.is_empty() && (events.len() >= limit || held() >= max_bytes)
}

/// A part of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogPage {
    /// The events, in order.
    pub events: Vec<RecordedEvent>,
    /// Everything up to here has been read by this page: the next page starts after it. It is the position of the
    /// last event of a page that is full by number or bytes, else the horizon, which no event still to come can
    /// precede.
    pub read_to: Position,
    /// The newest position that readers may see now.
    pub horizon: Position,
}

/// The event store: durable streams in one global order.
///
/// # Contract
/// - An [`Append`] is atomic and durable when its result is returned; one refused append never affects its neighbours.
/// - The appends of a batch take effect in order; a later one sees the versions that an earlier one made.
/// - Positions grow in the order of each stream, and no reader ever finds an event at or before a position it has read
///   to. Holes are allowed.
/// - Checks come in this order: form (no stream twice, a stream where there is a dependency) and payload sizes, command
///   id, dependencies, timers claimed, versions.
/// - A read returns at least one event where there is one and its limit is not 0, and goes on until it has `limit`
///   events or their payloads and metadata come to `max_bytes`: it never holds more than that and one event.
/// - A command id past its `keep` may be used again.
///
/// # Cancel safety
/// Futures may be dropped at any time: an append then happens whole or not at all, each of a batch by itself, and a
/// response is kept or not.
#[async_trait]
pub trait EventStore: fmt::Debug + Send + Sync {
    /// Appends a batch in one transaction where possible, with one result for each.
    ///
    /// # Errors
    /// [`StoreError`] when the whole batch failed; then whether it was written is unknown.
    async fn append_batch(
        &self,
        batch: Vec<Append>,
    ) -> Result<Vec<Result<Appended, AppendError>>, StoreError>;

    /// Appends one unit.
    ///
    /// # Errors
    /// See [`AppendError`].
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let mut results = self.append_batch(vec![append]).await?;
        results.pop().unwrap_or_else(|| Err(StoreError::Corrupt("an append had no result".into()).into()))
    }

    /// Reads a part of one stream; an unknown stream is empty.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed.
    async fn read_stream(
        &self,
        stream: &StreamId,
        range: StreamRange,
    ) -> Result<Vec<RecordedEvent>, StoreError>;

    /// The version of a stream; zero for an unknown one.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed.
    async fn stream_version(&self, stream: &StreamId) -> Result<StreamVersion, StoreError>;

    /// Reads a part of the log.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed.
    async fn read_log(&self, query: LogQuery<'_>) -> Result<LogPage, StoreError>;

    /// The first result of a command id, if it was used and is still kept.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed.
    async fn find_command(&self, id: CommandId) -> Result<Option<CommandRecord>, StoreError>;

    /// Keeps the response given for a command, once: a second call changes nothing.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed.
    async fn save_response(&self, id: CommandId, response: StoredResponse) -> Result<(), StoreError>;

    /// Keeps several responses, in one write where the store can.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed; some may have been kept.
    async fn save_responses(&self, responses: Vec<(CommandId, StoredResponse)>) -> Result<(), StoreError> {
        for (id, response) in responses {
            self.save_response(id, response).await?;
        }
        Ok(())
    }

    /// Announces the newest readable position of the log within this process. It comes to the position of an append
    /// soon after its result is returned, or with it where the store has one writer.
    fn signal(&self) -> &Signal;

    /// All events of a stream after `version`, read page by page: bounded memory for streams of any length. A page is
    /// read while the caller works on the one before.
    fn load_events<'a>(
        &'a self,
        stream: &'a StreamId,
        version: StreamVersion,
    ) -> BoxStream<'a, Result<RecordedEvent, StoreError>> {
        pages::events(self, stream, version).boxed()
    }
}
