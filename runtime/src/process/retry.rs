//! Work among the dead letters: how it is kept, and how it is tried again.

use bytes::Bytes;
use composable_rust_core::port::{Append, DeadLetter, EventStore, NewTimer, StoreError, TimerChanges};
use composable_rust_core::{StreamId, TimerId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

#[derive(Serialize, Deserialize)]
struct Buried {
    id: TimerId,
    token: Uuid,
    queue: String,
    stream: StreamId,
    work: Box<RawValue>,
}

pub(super) fn encode(timer: &NewTimer) -> Result<Bytes, StoreError> {
    let work = serde_json::from_slice::<Box<RawValue>>(&timer.payload);
    let buried = Buried {
        id: timer.id,
        token: timer.token,
        queue: timer.queue.clone(),
        stream: timer.stream.clone(),
        work: work.or_else(|_| serde_json::value::to_raw_value(&timer.payload.to_vec())).map_err(corrupt)?,
    };
    serde_json::to_vec(&buried).map(Bytes::from).map_err(corrupt)
}

/// Sets the timer of a dead letter again, due at once, under the token that it had: a command or an activity keeps
/// its id, so that it cannot act twice.
pub(crate) async fn reschedule(
    store: &dyn EventStore,
    letter: &DeadLetter,
    now: Timestamp,
) -> Result<(), StoreError> {
    let buried: Buried = serde_json::from_slice(&letter.letter.payload).map_err(corrupt)?;
    let timer = NewTimer {
        id: buried.id,
        token: buried.token,
        queue: buried.queue,
        stream: buried.stream,
        due: now,
        payload: buried.work.get().to_owned().into(),
    };
    let timers = TimerChanges { schedule: vec![timer], ..TimerChanges::default() };
    match store.append(Append { timers, ..Append::default() }).await {
        Ok(_) => Ok(()),
        Err(composable_rust_core::port::AppendError::Store(error)) => Err(error),
        Err(other) => Err(StoreError::Corrupt(other.to_string())),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "used with map_err")]
fn corrupt(error: serde_json::Error) -> StoreError {
    StoreError::Corrupt(format!("a dead letter cannot be encoded or read: {error}"))
}
