//! Deciding a batch of appends in memory, for stores that write it as a whole: what the contract of
//! [`EventStore`](super::EventStore) says of order, checks and results, once for all adapters.
//!
//! Refused appends leave no trace because nothing is written before all are decided. Not here: what a store holds and
//! how it writes; it tells a [`Plan`] the one and takes the other from it.

use super::{
    Append, AppendError, Appended, CommandKey, CommandRecord, MAX_PAYLOAD_BYTES, NewTimer, StoreError,
    StreamAppend, TimerChanges, WrittenStream,
};
use crate::{CommandId, NewEvent, Position, StreamId, StreamVersion, TimerId};
use jiff::Timestamp;
use smallvec::SmallVec;
use std::collections::BTreeMap;
use uuid::Uuid;

/// What becomes of a batch.
#[derive(Debug)]
pub struct Plan {
    /// When it is recorded.
    pub now: Timestamp,
    /// The position of the newest event: at first the store's, then that of the last one planned.
    pub newest: Position,
    /// The streams that the batch names, in the order in which it names them first.
    pub streams: Vec<PlannedStream>,
    /// The events to write, in the order of their positions up to `newest`.
    pub events: Vec<PlannedEvent>,
    /// The commands to keep.
    pub commands: Vec<(CommandKey, Appended)>,
    /// The timers that the batch claims or changes.
    pub timers: BTreeMap<TimerId, PlannedTimer>,
    /// What each append is answered, in the batch's order.
    pub results: Vec<Result<Appended, AppendError>>,
    places: BTreeMap<StreamId, usize>,
    records: BTreeMap<CommandId, CommandRecord>,
}

/// A stream as the batch makes it.
#[derive(Debug)]
pub struct PlannedStream {
    /// Its name.
    pub name: StreamId,
    /// Its version before the batch, as the store told it; zero until it does.
    pub before: StreamVersion,
    /// Its version after what is planned.
    pub version: StreamVersion,
    /// Whether an append that is accepted names it, if only to check its version.
    pub named: bool,
}

impl PlannedStream {
    /// Whether events are added to it.
    pub fn is_written(&self) -> bool {
        self.version > self.before
    }
}

/// An event with its place.
#[derive(Debug)]
pub struct PlannedEvent {
    /// The place of its stream in [`Plan::streams`].
    pub stream: usize,
    /// Its version.
    pub version: StreamVersion,
    /// What to write.
    pub event: NewEvent,
}

/// A timer as the batch makes it.
#[derive(Debug, Default)]
pub struct PlannedTimer {
    /// Its schedule; none when it is not pending.
    pub token: Option<Uuid>,
    /// The schedule that the store holds and the batch claims.
    pub consumed: Option<Uuid>,
    /// What is written about it.
    pub change: Option<TimerChange>,
}

/// What is written about a timer.
#[derive(Debug)]
pub enum TimerChange {
    /// It is removed if it is there.
    Remove,
    /// It is set, whether it is there or not.
    Set(Box<NewTimer>),
}

impl Plan {
    /// A plan for `batch`, before anything is known of what the store holds.
    pub fn new(batch: &[Append], now: Timestamp, newest: Position) -> Self {
        let mut plan = Self {
            now,
            newest,
            streams: Vec::with_capacity(batch.len()),
            events: Vec::new(),
            commands: Vec::new(),
            timers: BTreeMap::new(),
            results: Vec::with_capacity(batch.len()),
            places: BTreeMap::new(),
            records: BTreeMap::new(),
        };
        for part in batch.iter().flat_map(|append| &append.streams) {
            if !plan.places.contains_key(&part.stream) {
                plan.places.insert(part.stream.clone(), plan.streams.len());
                let (before, version) = (StreamVersion::ZERO, StreamVersion::ZERO);
                plan.streams.push(PlannedStream { name: part.stream.clone(), before, version, named: false });
            }
        }
        plan
    }

    /// Learns the version of the stream at `place`; one that is never told does not exist.
    pub fn learn_stream(&mut self, place: usize, version: StreamVersion) {
        if let Some(stream) = self.streams.get_mut(place) {
            (stream.before, stream.version) = (version, version);
        }
    }

    /// Learns that a timer is pending with this schedule; one that is never told is not pending.
    pub fn learn_timer(&mut self, id: TimerId, token: Uuid) {
        self.timers.insert(id, PlannedTimer { token: Some(token), ..PlannedTimer::default() });
    }

    /// Learns which commands were answered before.
    pub fn learn_commands(&mut self, records: BTreeMap<CommandId, CommandRecord>) {
        self.records = records;
    }

    /// Whether nothing has to be written.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
            && self.commands.is_empty()
            && self.timers.values().all(|timer| timer.change.is_none())
    }

    /// Decides the next append.
    pub fn decide(&mut self, append: Append) {
        let result = match self.check(&append) {
            Ok(()) => Ok(self.accept(append)),
            Err(refusal) => Err(refusal),
        };
        self.results.push(result);
    }

    /// The place of a stream in [`Self::streams`].
    pub fn place(&self, stream: &StreamId) -> Option<usize> {
        self.places.get(stream).copied()
    }

    /// The first position of the events to write.
    pub fn first_position(&self) -> Position {
        let last = self.newest.get();
        Position::ZERO.plus(last.saturating_sub(self.events.len() as u64)).next()
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
        self.place(stream)
            .and_then(|place| self.streams.get(place))
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
        let appended = Appended { position: self.newest, recorded_at: self.now, streams };
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
        let place = self.place(&part.stream).unwrap_or_default();
        let Some(stream) = self.streams.get_mut(place) else {
            let version = StreamVersion::ZERO;
            return WrittenStream { stream: part.stream, before: version, after: version };
        };
        stream.named = true;
        let before = stream.version;
        for event in part.events {
            stream.version = stream.version.next();
            self.newest = self.newest.next();
            self.events.push(PlannedEvent { stream: place, version: stream.version, event });
        }
        WrittenStream { stream: part.stream, before, after: stream.version }
    }

    fn accept_timers(&mut self, changes: TimerChanges) {
        for claim in changes.claim {
            let timer = self.timers.entry(claim.id).or_default();
            if timer.change.is_none() {
                timer.consumed = timer.token;
            }
            (timer.token, timer.change) = (None, Some(TimerChange::Remove));
        }
        for id in changes.cancel {
            let timer = self.timers.entry(id).or_default();
            (timer.token, timer.change) = (None, Some(TimerChange::Remove));
        }
        for new in changes.schedule {
            let timer = self.timers.entry(new.id).or_default();
            (timer.token, timer.change) = (Some(new.token), Some(TimerChange::Set(Box::new(new))));
        }
    }
}

/// Refuses what no state of a store could make right.
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
    use crate::ExpectedVersion;

    #[test]
    fn a_stream_named_twice_in_one_append_is_refused() {
        let stream = StreamId::new("test", "a").unwrap();
        let mut append = Append::to(stream.clone(), ExpectedVersion::Any, Vec::new());
        append.streams.push(StreamAppend { stream, expected: ExpectedVersion::Any, events: Vec::new() });
        let refused = check_shape(&append);
        assert!(matches!(refused, Err(AppendError::Store(StoreError::InvalidRequest(_)))), "{refused:?}");
    }
}
