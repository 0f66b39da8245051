//! One step of one process instance, as the participant of an append.

use super::instances::Instances;
use super::record::{InputRecord, STEPPED, Stepped};
use super::work::{Origin, plan};
use crate::command::{Chain, Decided, Deciding, Failure, Participant, SlotGuard, Undecided};
use async_trait::async_trait;
use composable_rust_core::port::StreamAppend;
use composable_rust_core::{
    EventId, EventMetadata, EventType, ExpectedVersion, NewEvent, Position, Process, ProcessId, Recorded,
    SchemaVersion, StreamId, StreamVersion,
};
use jiff::Timestamp;
use std::sync::Arc;

/// Where an input comes from.
#[derive(Debug, Clone)]
pub(super) struct Cause {
    pub(super) id: EventId,
    pub(super) position: Position,
    pub(super) version: StreamVersion,
    /// When the event was recorded; `None` for what happens now.
    pub(super) recorded_at: Option<Timestamp>,
    pub(super) metadata: EventMetadata,
}

/// A step about to be taken.
pub(super) struct StepRun<P: Process> {
    instances: Arc<Instances<P>>,
    id: ProcessId,
    stream: StreamId,
    input: P::Input,
    record: InputRecord,
    cause: Cause,
    reference: String,
    guard: Option<SlotGuard<Arc<P>>>,
    next: Option<Arc<P>>,
}

impl<P: Process> StepRun<P> {
    pub(super) fn new(
        instances: Arc<Instances<P>>,
        (id, stream): (ProcessId, StreamId),
        (input, record): (P::Input, InputRecord),
        cause: Cause,
        reference: String,
    ) -> Self {
        Self { instances, id, stream, input, record, cause, reference, guard: None, next: None }
    }

    fn received(&self, now: Timestamp) -> Recorded<P::Input> {
        Recorded {
            body: self.input.clone(),
            key: self.id.clone(),
            position: self.cause.position,
            version: self.cause.version,
            id: self.cause.id,
            recorded_at: self.cause.recorded_at.unwrap_or(now),
            metadata: self.cause.metadata.encode(),
        }
    }

    /// Reacts on a copy of the state.
    fn react(&self, state: &P, now: Timestamp) -> Result<(P, Stepped), Failure> {
        let mut next = state.clone();
        let steps = next.react(self.received(now));
        let effects = steps
            .iter()
            .map(|step| step.effect().cloned().map_err(|error| Failure::Invalid(error.to_owned())))
            .collect::<Result<_, _>>()?;
        let state = serde_json::value::to_raw_value(&next).map_err(unencodable)?;
        let step = Stepped { input: self.record.clone(), schema: P::SCHEMA, state, effects };
        Ok((next, step))
    }

    fn try_decide(&mut self, deciding: &Deciding<'_>) -> Result<Decided, Failure> {
        let mut append = self.check().ok_or(Failure::Overloaded)?;
        let slot = self.guard.as_ref().and_then(|guard| guard.as_ref()).ok_or(Failure::Overloaded)?;
        let (state, version) = (Arc::clone(&slot.state), slot.version.next());
        let now = deciding.context.now();
        let (next, step) = self.react(&state, now)?;
        let id = EventId::from_uuid(deciding.environment.new_id());
        let origin = Origin::new(id, &deciding.metadata.decode());
        let of = (P::NAME, &self.stream, self.reference.as_str(), version);
        let planned = plan(of, now, &step, &origin).map_err(unencodable)?;
        append.events.push(NewEvent {
            id,
            event_type: EventType::Borrowed(STEPPED),
            schema_version: SchemaVersion::FIRST,
            payload: serde_json::to_vec(&step).map_err(unencodable)?.into(),
            metadata: deciding.metadata.clone(),
        });
        self.next = Some(Arc::new(next));
        Ok(Decided { append, cancel: planned.cancel, schedule: planned.schedule })
    }
}

#[async_trait]
impl<P: Process> Participant for StepRun<P> {
    fn stream(&self) -> &StreamId {
        &self.stream
    }

    async fn enter(&mut self) -> Result<(), Failure> {
        self.guard = Some(self.instances.enter(&self.stream).await?);
        Ok(())
    }

    fn chain(&self) -> Option<&Arc<Chain>> {
        self.guard.as_ref()?.as_ref().map(|slot| &slot.chain)
    }

    fn check(&self) -> Option<StreamAppend> {
        let slot = self.guard.as_ref()?.as_ref()?;
        let expected = ExpectedVersion::Exact(slot.version);
        Some(StreamAppend { stream: self.stream.clone(), expected, events: Vec::new() })
    }

    fn function(&self) -> &'static str {
        "react"
    }

    fn decide(&mut self, deciding: &Deciding<'_>) -> Result<Decided, Undecided> {
        self.try_decide(deciding).map_err(Undecided::Failed)
    }

    fn advance(&mut self) {
        let slot = self.guard.as_mut().and_then(|guard| guard.as_mut());
        if let (Some(slot), Some(next)) = (slot, self.next.take()) {
            slot.state = next;
            slot.version = slot.version.next();
        }
    }

    fn forget(&mut self) {
        if let Some(guard) = &mut self.guard {
            **guard = None;
        }
    }

    fn leave(&mut self) {
        self.guard = None;
    }
}

#[expect(clippy::needless_pass_by_value, reason = "used with map_err")]
fn unencodable(error: serde_json::Error) -> Failure {
    Failure::Invalid(error.to_string())
}
