//! Work as a dead letter: how it is kept.

use bytes::Bytes;
use composable_rust_core::port::{NewDeadLetter, NewTimer, StoreError, Timer};
use composable_rust_core::{StreamId, TimerId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

#[derive(Serialize, Deserialize)]
struct Buried {
    id: TimerId,
    token: Uuid,
    queue: String,
    stream: StreamId,
    due: jiff::Timestamp,
    work: Box<RawValue>,
}

pub(super) fn encode(timer: &NewTimer) -> Result<Bytes, StoreError> {
    let work = serde_json::from_slice::<Box<RawValue>>(&timer.payload);
    let buried = Buried {
        id: timer.id,
        token: timer.token,
        queue: timer.queue.clone(),
        stream: timer.stream.clone(),
        due: timer.due,
        work: work.or_else(|_| serde_json::value::to_raw_value(&timer.payload.to_vec())).map_err(corrupt)?,
    };
    serde_json::to_vec(&buried).map(Bytes::from).map_err(corrupt)
}

/// The timer that a letter holds, under the token that it had: a command or an activity keeps its id, so that it cannot
/// act twice.
pub(super) fn decode(letter: &NewDeadLetter) -> Result<Timer, StoreError> {
    let buried: Buried = serde_json::from_slice(&letter.payload).map_err(corrupt)?;
    let timer = NewTimer {
        id: buried.id,
        token: buried.token,
        queue: buried.queue,
        stream: buried.stream,
        due: buried.due,
        payload: buried.work.get().to_owned().into(),
    };
    Ok(Timer { timer, attempts: 0 })
}

#[expect(clippy::needless_pass_by_value, reason = "used with map_err")]
fn corrupt(error: serde_json::Error) -> StoreError {
    StoreError::Corrupt(format!("a dead letter cannot be encoded or read: {error}"))
}
