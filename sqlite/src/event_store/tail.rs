//! The newest part of the log in memory: whoever follows it closely is served without reading the file.
//!
//! Every projection, every process and the relay read each new event; one connection's thread hands rows over one by
//! one, which costs more than the append. The file stays the authority: this holds committed events only.

use composable_rust_core::port::{LogPage, LogQuery};
use composable_rust_core::{Position, RecordedEvent};
use std::collections::VecDeque;

/// What an event takes besides its payload and metadata, roughly.
const ENVELOPE_BYTES: usize = 256;

/// The events after a position, without holes, up to the newest one.
#[derive(Debug)]
pub(crate) struct Tail {
    /// The position before the first event.
    start: Position,
    events: VecDeque<RecordedEvent>,
    bytes: usize,
    max_bytes: usize,
}

impl Tail {
    /// An empty tail of a log whose newest event is at `newest`; keeps about `max_bytes`.
    pub(crate) fn new(newest: Position, max_bytes: usize) -> Self {
        Self { start: newest, events: VecDeque::new(), bytes: 0, max_bytes }
    }

    /// Begins anew after `newest`, when what was committed is not known for sure.
    pub(crate) fn reset(&mut self, newest: Position) {
        *self = Self::new(newest, self.max_bytes);
    }

    /// Adds events that have just been committed.
    pub(super) fn extend(&mut self, events: Vec<RecordedEvent>) {
        self.bytes += events.iter().map(size).sum::<usize>();
        self.events.extend(events);
        while self.bytes > self.max_bytes {
            let Some(oldest) = self.events.pop_front() else { break };
            self.bytes = self.bytes.saturating_sub(size(&oldest));
            self.start = oldest.position;
        }
    }

    /// The page asked for, if all of it is here.
    pub(super) fn page(&self, query: &LogQuery<'_>, horizon: Position) -> Option<LogPage> {
        let skipped = usize::try_from(query.after.get().checked_sub(self.start.get())?).ok()?;
        let wanted = |event: &&RecordedEvent| {
            query.categories.is_none_or(|wanted| wanted.iter().any(|name| name == event.stream.category()))
        };
        let readable = self.events.iter().skip(skipped).take_while(|event| event.position <= horizon);
        let mut held = 0;
        let fits = |event: &&RecordedEvent| {
            let before = held;
            held += event.content_bytes();
            before == 0 || before < query.max_bytes
        };
        let events: Vec<_> = readable.filter(wanted).take(query.limit).take_while(fits).cloned().collect();
        Some(super::read::page(events, query, horizon))
    }
}

fn size(event: &RecordedEvent) -> usize {
    ENVELOPE_BYTES + event.content_bytes()
}
