//! What an append does to the tables: the checks in the order of the contract, then the writes.

use super::Tables;
use super::events::KeptCommand;
use composable_rust_core::port::{
    Append, AppendError, Appended, CommandKey, CommandRecord, MAX_PAYLOAD_BYTES, StoreError, StreamAppend,
    TimerChanges, WrittenStream,
};
use composable_rust_core::{Position, RecordedEvent, later};
use jiff::Timestamp;
use smallvec::SmallVec;
use std::collections::BTreeSet;

type AppendResult = Result<Appended, AppendError>;

/// Appends in order, with a result for each.
pub(super) fn append_batch(tables: &mut Tables, batch: Vec<Append>, now: Timestamp) -> Vec<AppendResult> {
    let mut results: Vec<AppendResult> = Vec::with_capacity(batch.len());
    for append in batch {
        let checked = check(tables, &append, &results, now);
        results.push(checked.map(|()| write(tables, append, now)));
    }
    results
}

fn check(
    tables: &mut Tables,
    append: &Append,
    earlier: &[AppendResult],
    now: Timestamp,
) -> Result<(), AppendError> {
    check_form(append)?;
    check_payloads(append)?;
    if let Some(record) = append.command.as_ref().and_then(|key| tables.events.command(key.id, now)) {
        return Err(AppendError::Duplicate(Box::new(record.clone())));
    }
    check_dependencies(tables, append, earlier)?;
    for claim in &append.timers.claim {
        if !tables.timers.holds(claim) {
            return Err(AppendError::TimerGone { id: claim.id });
        }
    }
    match append.streams.iter().find(|part| !part.expected.accepts(tables.events.version(&part.stream))) {
        Some(part) => Err(conflict(tables, part)),
        None => Ok(()),
    }
}

fn check_form(append: &Append) -> Result<(), StoreError> {
    let mut named = BTreeSet::new();
    if append.streams.is_empty() && !append.depends_on.is_empty() {
        return Err(StoreError::InvalidRequest("an append that depends on others names no stream".into()));
    }
    match append.streams.iter().find(|part| !named.insert(&part.stream)) {
        Some(twice) => Err(StoreError::InvalidRequest(format!("an append names {} twice", twice.stream))),
        None => Ok(()),
    }
}

fn check_payloads(append: &Append) -> Result<(), AppendError> {
    for part in &append.streams {
        for event in &part.events {
            if event.payload.len() > MAX_PAYLOAD_BYTES {
                return Err(AppendError::PayloadTooLarge {
                    stream: part.stream.clone(),
                    bytes: event.payload.len(),
                });
            }
        }
    }
    Ok(())
}

fn check_dependencies(tables: &Tables, append: &Append, earlier: &[AppendResult]) -> Result<(), AppendError> {
    if append.depends_on.iter().all(|index| earlier.get(*index).is_some_and(Result::is_ok)) {
        return Ok(());
    }
    append.streams.first().map_or(Ok(()), |part| Err(conflict(tables, part)))
}

fn conflict(tables: &Tables, part: &StreamAppend) -> AppendError {
    AppendError::Conflict {
        stream: part.stream.clone(),
        expected: part.expected,
        actual: tables.events.version(&part.stream),
    }
}

fn write(tables: &mut Tables, append: Append, now: Timestamp) -> Appended {
    let streams: SmallVec<[WrittenStream; 1]> =
        append.streams.into_iter().map(|part| write_stream(tables, part, now)).collect();
    let appended = Appended { position: tables.events.horizon(), recorded_at: now, streams };
    change_timers(tables, append.timers);
    if let Some(key) = append.command {
        keep_command(tables, key, &appended);
    }
    appended
}

fn write_stream(tables: &mut Tables, part: StreamAppend, now: Timestamp) -> WrittenStream {
    let events = &mut tables.events;
    let before = events.version(&part.stream);
    let count = part.events.len() as u64;
    for (version, event) in (before.get() + 1..).zip(part.events) {
        let index = events.log.len();
        events.streams.entry(part.stream.clone()).or_default().push(index);
        events.log.push(RecordedEvent {
            position: Position::ZERO.plus(index as u64 + 1),
            stream: part.stream.clone(),
            version: composable_rust_core::StreamVersion::ZERO.plus(version),
            id: event.id,
            event_type: event.event_type,
            schema_version: event.schema_version,
            payload: event.payload,
            metadata: event.metadata,
            recorded_at: now,
        });
    }
    WrittenStream { stream: part.stream, before, after: before.plus(count) }
}

fn change_timers(tables: &mut Tables, changes: TimerChanges) {
    for claim in changes.claim {
        tables.timers.cancel(claim.id);
    }
    for id in changes.cancel {
        tables.timers.cancel(id);
    }
    for timer in changes.schedule {
        tables.timers.schedule(timer);
    }
}

fn keep_command(tables: &mut Tables, key: CommandKey, appended: &Appended) {
    let record = CommandRecord {
        id: key.id,
        fingerprint: key.fingerprint,
        appended: appended.clone(),
        response: None,
    };
    let until = key.keep.map(|keep| later(appended.recorded_at, keep));
    tables.events.commands.insert(key.id, KeptCommand { record, until });
}
