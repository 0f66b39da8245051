//! What a process's timer carries: one effect, and where it comes from.

use super::record::Stepped;
use composable_rust_core::port::NewTimer;
use composable_rust_core::{
    CausationId, CorrelationId, EventId, EventMetadata, ProcessEffect, StreamId, StreamVersion, TimerId,
    UserId, derived_uuid,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::{Builder, Uuid};

/// One thing that a process wants done, with its origin.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Work {
    pub(super) effect: ProcessEffect,
    pub(super) origin: Origin,
}

/// The step that wants it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Origin {
    /// The step's event.
    pub(super) step: EventId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) correlation: Option<CorrelationId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) trace: Option<String>,
}

impl Origin {
    pub(super) fn new(step: EventId, metadata: &EventMetadata) -> Self {
        Self {
            step,
            correlation: metadata.correlation_id,
            user: metadata.user_id,
            trace: metadata.trace_parent.clone(),
        }
    }

    /// Metadata of what follows from the work.
    pub(super) fn metadata(&self) -> EventMetadata {
        EventMetadata {
            correlation_id: self.correlation,
            causation_id: Some(CausationId::from_uuid(self.step.as_uuid())),
            user_id: self.user,
            trace_parent: self.trace.clone(),
            ..EventMetadata::default()
        }
    }
}

/// What a step does to timers.
#[derive(Debug, Default)]
pub(super) struct Planned {
    pub(super) cancel: Vec<TimerId>,
    pub(super) schedule: Vec<NewTimer>,
}

/// Turns the effects of a step into timers. Commands and activities are due at once, a microsecond apart, with ids that
/// sort as their steps do, so that they are taken up in the order in which the process named them.
pub(super) fn plan(
    (queue, stream, reference, version): (&str, &StreamId, &str, StreamVersion),
    now: Timestamp,
    step: &Stepped,
    origin: &Origin,
) -> Result<Planned, serde_json::Error> {
    let mut planned = Planned::default();
    for (ordinal, effect) in step.effects.iter().enumerate() {
        let token = derived_uuid(&[stream.as_str(), reference, &ordinal.to_string()]);
        let at_once = now.saturating_add(SignedDuration::from_micros(i64::try_from(ordinal).unwrap_or(0)));
        let (id, due) = match effect {
            ProcessEffect::Dispatch { .. } | ProcessEffect::Call { .. } => {
                (work_id(version, ordinal, token), at_once.unwrap_or(now))
            }
            ProcessEffect::Schedule { timer, due } => (timer_id(stream, timer), *due),
            ProcessEffect::Cancel { timer } => {
                planned.cancel.push(timer_id(stream, timer));
                continue;
            }
        };
        planned.schedule.push(new_timer(queue, stream, (id, token, due), effect, origin)?);
    }
    Ok(planned)
}

fn new_timer(
    queue: &str,
    stream: &StreamId,
    (id, token, due): (TimerId, Uuid, Timestamp),
    effect: &ProcessEffect,
    origin: &Origin,
) -> Result<NewTimer, serde_json::Error> {
    let work = Work { effect: effect.clone(), origin: origin.clone() };
    let payload = serde_json::to_vec(&work)?.into();
    Ok(NewTimer { id, token, queue: queue.to_owned(), stream: stream.clone(), due, payload })
}

/// Of two with the same due time the one of the earlier step, and in a step the one named first, has the lower id.
fn work_id(version: StreamVersion, ordinal: usize, token: Uuid) -> TimerId {
    let mut bytes = token.into_bytes();
    bytes[..6].copy_from_slice(&version.get().to_be_bytes()[2..]);
    let ordinal = u16::try_from(ordinal).unwrap_or(u16::MAX).min(0x0fff);
    bytes[6..8].copy_from_slice(&ordinal.to_be_bytes());
    TimerId::from_uuid(Builder::from_custom_bytes(bytes).into_uuid())
}

/// A timer is the same when its instance and its content are.
fn timer_id(stream: &StreamId, timer: &serde_json::Value) -> TimerId {
    TimerId::derived(&[stream.as_str(), "timer", &timer.to_string()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_work_sort_as_their_steps_do() {
        let places = [(1, 0), (1, 1), (1, 4_000), (2, 0), (255, 3), (256, 0), (70_000, 1), (u32::MAX, 0)];
        let ids = places.map(|(version, ordinal)| {
            let token = derived_uuid(&[&version.to_string(), &ordinal.to_string()]);
            work_id(StreamVersion::from(version), ordinal, token)
        });
        assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    }
}
