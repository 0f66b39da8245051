//! Filling a file with events, as the product would have written them.

use crate::Outcome;
use crate::domain::AccountEvent;
use composable_rust::port::StreamRange;
use composable_rust::port::{Append, OpenStorage, Storage};
use composable_rust::prelude::*;
use composable_rust::runtime::live_environment;
use composable_rust::{
    CausationId, CorrelationId, EventId, EventMetadata, EventType, NewEvent, RecordedEvent,
};
use std::path::Path;
use uuid::Uuid;

/// Events of one append.
const EVENTS: usize = 10;
/// Appends of one transaction.
const APPENDS: usize = 100;

/// The key of a stream.
pub(crate) fn key(number: usize) -> String {
    format!("account-{number:05}")
}

/// Opens the storage in `path`.
pub(crate) async fn open(path: &Path) -> Outcome<Storage> {
    Ok(Sqlite::file(path).open(&live_environment()).await?)
}

/// Makes a file with `streams` accounts of `events` events each, written in turns.
pub(crate) async fn accounts(path: &Path, streams: usize, events: usize) -> Outcome<()> {
    let storage = open(path).await?;
    let mut batch = Vec::new();
    for turn in 0..events.div_ceil(EVENTS) {
        for number in 0..streams {
            let stream = StreamId::new("account", &key(number))?;
            let amounts = (turn * EVENTS..events).take(EVENTS);
            let events = amounts.map(event).collect::<Outcome<Vec<_>>>()?;
            batch.push(Append::to(stream, ExpectedVersion::Any, events));
            if batch.len() == APPENDS {
                append(&storage, &mut batch).await?;
            }
        }
    }
    append(&storage, &mut batch).await?;
    (storage.close)().await;
    Ok(())
}

/// An event as a command would have made it.
pub(crate) fn event(amount: usize) -> Outcome<NewEvent> {
    let amount = u32::try_from(amount)?;
    let id = Uuid::from_u128((0x7 << 76) | u128::from(amount));
    let noted = AccountEvent::Noted { amount, reference: id, text: "two evenings at the opera".to_owned() };
    let metadata = EventMetadata {
        command_id: Some(CommandId::from_uuid(id)),
        correlation_id: Some(CorrelationId::from_uuid(id)),
        causation_id: Some(CausationId::from_uuid(id)),
        ..EventMetadata::default()
    };
    Ok(NewEvent {
        id: EventId::from_uuid(id),
        event_type: EventType::Borrowed(noted.event_type()),
        schema_version: noted.schema_version(),
        payload: noted.encode()?.into(),
        metadata: metadata.encode(),
    })
}

/// The newest event of a stream.
pub(crate) async fn sample(storage: &Storage, stream: &StreamId) -> Outcome<RecordedEvent> {
    let mut events = storage.events.read_stream(stream, StreamRange::latest(1)).await?;
    events.pop().ok_or_else(|| "a stream that should have events has none".into())
}

async fn append(storage: &Storage, batch: &mut Vec<Append>) -> Outcome<()> {
    for result in storage.events.append_batch(std::mem::take(batch)).await? {
        result?;
    }
    Ok(())
}
