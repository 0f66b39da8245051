//! Decides a batch of appends in memory, in order, against what the database holds.
//!
//! Refused appends leave no trace because nothing is written before all are decided. Not here: reading what is held
//! and writing what was decided (`append.rs`).

use super::known_streams::{KnownStream, KnownStreams};
use crate::connections::Newest;
use composable_rust_core::port::{
    Append, AppendError, Appended, CommandKey, CommandRecord, MAX_PAYLOAD_BYTES, NewTimer, StoreError,
    StreamAppend, TimerChanges, WrittenStream,
};
use composable_rust_core::{CommandId, NewEvent, Position, RecordedEvent, StreamId, StreamVersion, TimerId};
use jiff::Timestamp;
use smallvec::SmallVec;
use std::collections::BTreeMap;
use uuid::Uuid;

/// What becomes of a batch.
pub(super) struct Plan {
    pub(super) now: Timestamp,
    pub(super) newest: Newest,
    /// The streams that the batch names; those it writes have a row number.
    pub(super) streams: Vec<PlannedStream>,
    index: BTreeMap<StreamId, usize>,
    /// The events to write, in the order of their positions up to that of `newest`.
    pub(super) events: Vec<PlannedEvent>,
    /// The commands to keep.
    pub(super) commands: Vec<(CommandKey, Appended)>,
    records: BTreeMap<CommandId, CommandRecord>,
    /// The timers that the batch claims or changes.
    pub(super) timers: BTreeMap<TimerId, PlannedTimer>,
    pub(super) results: Vec<Result<Appended, AppendError>>,
}

/// A stream as the batch makes it.
pub(super) struct PlannedStream {
    pub(super) name: StreamId,
    /// Its row; zero as long as it has none.
    pub(super) id: i64,
    pub(super) version: StreamVersion,
    pub(super) written: bool,
}

/// An event with its place.
pub(super) struct PlannedEvent {
    pub(super) stream: i64,
    pub(super) name: StreamId,
    pub(super) version: StreamVersion,
    pub(super) event: NewEvent,
}

/// A timer as the batch makes it.
#[derive(Default)]
pub(super) struct PlannedTimer {
    /// Its schedule; none when it is not pending.
    pub(super) token: Option<Uuid>,
    pub(super) change: Option<TimerChange>,
}

/// What is written about a timer.
pub(super) enum TimerChange {
    Remove,
    Set(Box<NewTimer>),
}

impl Plan {
    /// A plan for `batch`, before what the database holds is known.
    pub(super) fn new(batch: &[Append], now: Timestamp, newest: Newest) -> Self {
        let mut plan = Self {
            now,
            newest,
            streams: Vec::with_capacity(batch.len()),
            index: BTreeMap::new(),
            events: Vec::new(),
            commands: Vec::new(),
            records: BTreeMap::new(),
            timers: BTreeMap::new(),
            results: Vec::with_capacity(batch.len()),
        };
        for part in batch.iter().flat_map(|append| &append.streams) {
            if !plan.index.contains_key(&part.stream) {
                plan.index.insert(part.stream.clone(), plan.streams.len());
                plan.streams.push(PlannedStream {
                    name: part.stream.clone(),
                    id: 0,
                    version: StreamVersion::ZERO,
                    written: false,
                });
            }
        }
        plan
    }

    /// Takes over what is known of streams; answers the places of the others.
    pub(super) fn recall(&mut self, known: &mut KnownStreams) -> Vec<usize> {
        let mut unknown = Vec::new();
        for (place, stream) in self.streams.iter_mut().enumerate() {
            match known.get(&stream.name) {
                Some(known) => (stream.id, stream.version) = (known.row, known.version),
                None => unknown.push(place),
            }
        }
        unknown
    }

    /// Leaves what became of the streams to the next plans, once it is committed.
    pub(super) fn remember(&self, known: &mut KnownStreams) {
        for stream in self.streams.iter().filter(|stream| stream.id != 0) {
            known.put(stream.name.clone(), KnownStream { row: stream.id, version: stream.version });
        }
    }

    /// Learns that a command was answered before.
    pub(super) fn learn_commands(&mut self, records: BTreeMap<CommandId, CommandRecord>) {
        self.records = records;
    }

    /// Whether nothing has to be written.
    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
            && self.commands.is_empty()
            && self.timers.values().all(|timer| timer.change.is_none())
    }

    /// Decides the next append.
    pub(super) fn decide(&mut self, append: Append) {
        let result = match self.check(&append) {
            Ok(()) => Ok(self.accept(append)),
            Err(refusal) => Err(refusal),
        };
        self.results.push(result);
    }

    fn check(&self, append: &Append) -> Result<(), AppendError> {
        check_shape(append)?;
        if let Some(record) = append.command.as_ref().and_then(|command| self.records.get(&command.id)) {
            return Err(AppendError::Duplicate(Box::new(record.clone())));
        }
        if !append.depends_on.iter().all(|&earlier| self.succeeded(earlier)) {
            append.streams.first().map_or(Ok(()), |part| Err(self.conflict(part)))?;
        }
        for claim in &append.timers.claim {
            if self.timers.get(&claim.id).and_then(|timer| timer.token) != Some(claim.token) {
                return Err(AppendError::TimerGone { id: claim.id });
            }
        }
        for part in &append.streams {
            if !part.expected.accepts(self.version(&part.stream)) {
                return Err(self.conflict(part));
            }
        }
        Ok(())
    }

    fn succeeded(&self, earlier: usize) -> bool {
        self.results.get(earlier).is_some_and(Result::is_ok)
    }

    fn version(&self, stream: &StreamId) -> StreamVersion {
        self.index
            .get(stream)
            .and_then(|&index| self.streams.get(index))
            .map_or(StreamVersion::ZERO, |stream| stream.version)
    }

    fn conflict(&self, part: &StreamAppend) -> AppendError {
        AppendError::Conflict {
            stream: part.stream.clone(),
            expected: part.expected,
            actual: self.version(&part.stream),
        }
    }

    fn accept(&mut self, append: Append) -> Appended {
        let streams: SmallVec<[WrittenStream; 1]> =
            append.streams.into_iter().map(|part| self.accept_stream(part)).collect();
        self.accept_timers(append.timers);
        let appended = Appended { position: self.newest.position, recorded_at: self.now, streams };
        if let Some(command) = append.command {
            let record = CommandRecord {
                id: command.id,
                fingerprint: command.fingerprint.clone(),
                appended: appended.clone(),
                response: None,
            };
            self.records.insert(command.id, record);
            self.commands.push((command, appended.clone()));
        }
        appended
    }

    fn accept_stream(&mut self, part: StreamAppend) -> WrittenStream {
        let known = self.index.get(&part.stream).and_then(|&index| self.streams.get_mut(index));
        let before = known.as_ref().map_or(StreamVersion::ZERO, |stream| stream.version);
        let mut after = before;
        if let Some(stream) = known.filter(|_| !part.events.is_empty()) {
            if stream.id == 0 {
                self.newest.stream += 1;
                stream.id = self.newest.stream;
            }
            for event in part.events {
                after = after.next();
                self.newest.position = self.newest.position.next();
                let name = part.stream.clone();
                self.events.push(PlannedEvent { stream: stream.id, name, version: after, event });
            }
            stream.version = after;
            stream.written = true;
        }
        WrittenStream { stream: part.stream, before, after }
    }

    fn accept_timers(&mut self, changes: TimerChanges) {
        let gone = changes.claim.into_iter().map(|claim| claim.id).chain(changes.cancel);
        for id in gone {
            self.timers.insert(id, PlannedTimer { token: None, change: Some(TimerChange::Remove) });
        }
        for timer in changes.schedule {
            let change = Some(TimerChange::Set(Box::new(timer.clone())));
            self.timers.insert(timer.id, PlannedTimer { token: Some(timer.token), change });
        }
    }

    /// The events to write as readers will find them.
    pub(super) fn recorded(&self) -> Vec<RecordedEvent> {
        let mut position = self.first_position();
        let mut events = Vec::with_capacity(self.events.len());
        for PlannedEvent { name, version, event, .. } in &self.events {
            events.push(RecordedEvent {
                position,
                stream: name.clone(),
                version: *version,
                id: event.id,
                event_type: event.event_type.clone(),
                schema_version: event.schema_version,
                payload: event.payload.clone(),
                metadata: event.metadata.clone(),
                recorded_at: self.now,
            });
            position = position.next();
        }
        events
    }

    /// The first position of the events to write.
    pub(super) fn first_position(&self) -> Position {
        let last = self.newest.position.get();
        Position::ZERO.plus(last.saturating_sub(self.events.len() as u64)).next()
    }
}

/// Refuses what no state of the database could make right.
fn check_shape(append: &Append) -> Result<(), AppendError> {
    if append.streams.is_empty() && !append.depends_on.is_empty() {
        let reason = "an append that depends on others names no stream".to_owned();
        return Err(StoreError::InvalidRequest(reason).into());
    }
    for (index, part) in append.streams.iter().enumerate() {
        if let Some(event) = part.events.iter().find(|event| event.payload.len() > MAX_PAYLOAD_BYTES) {
            return Err(AppendError::PayloadTooLarge {
                stream: part.stream.clone(),
                bytes: event.payload.len(),
            });
        }
        if append.streams.iter().take(index).any(|earlier| earlier.stream == part.stream) {
            let reason = format!("an append names stream {} twice", part.stream);
            return Err(StoreError::InvalidRequest(reason).into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use composable_rust_core::ExpectedVersion;

    #[test]
    fn a_stream_named_twice_in_one_append_is_refused() {
        let stream = StreamId::new("test", "a").unwrap();
        let mut append = Append::to(stream.clone(), ExpectedVersion::Any, Vec::new());
        append.streams.push(StreamAppend { stream, expected: ExpectedVersion::Any, events: Vec::new() });
        let refused = check_shape(&append);
        assert!(matches!(refused, Err(AppendError::Store(StoreError::InvalidRequest(_)))), "{refused:?}");
    }
}
