//! Turns committed events into steps of a process.

use super::instances::Instances;
use super::record::InputRecord;
use super::start::first_position;
use super::step_run::Cause;
use super::{ProcessOptions, Worker, subscription_name};
use crate::command::Failure;
use async_trait::async_trait;
use composable_rust_core::port::{Checkpoint, CheckpointStore, NewDeadLetter, StoreError};
use composable_rust_core::{
    CausationId, DecodeError, EventMetadata, Position, Process, ProcessId, ProcessInput, RecordedEvent,
    StreamId, panic_text, process_stream,
};
use composable_rust_projections::{Batch, BoxError, HandleError, Subscriber};
use futures_util::stream::{self, StreamExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The subscription of process `P`.
#[derive(Debug)]
pub(crate) struct ProcessSubscriber<P: Process> {
    name: String,
    instances: Arc<Instances<P>>,
    worker: Arc<Worker<P>>,
    checkpoints: Arc<dyn CheckpointStore>,
    options: ProcessOptions,
}

impl<P: Process> ProcessSubscriber<P> {
    /// The subscription whose dead letters `worker` shares.
    pub(crate) fn new(worker: Arc<Worker<P>>) -> Self {
        Self {
            name: subscription_name(P::NAME),
            instances: Arc::clone(&worker.instances),
            checkpoints: Arc::clone(&worker.deps.storage.checkpoints),
            options: worker.options,
            worker,
        }
    }

    /// The inputs of a batch by instance, in order.
    fn inputs(batch: &[RecordedEvent]) -> Result<ByInstance<P>, HandleError> {
        let mut inputs = ByInstance::<P>::new();
        let mut places = std::collections::BTreeMap::<ProcessId, usize>::new();
        for event in batch {
            let (input, id) = heard::<P>(event)
                .map_err(|source| HandleError::Poison { position: event.position, source })?;
            if let Some(id) = id {
                let place = *places.entry(id.clone()).or_insert_with(|| {
                    inputs.push((id, Vec::new()));
                    inputs.len() - 1
                });
                inputs[place].1.push(Heard { input, record: record(event), cause: cause(event) });
            }
        }
        Ok(inputs)
    }

    async fn take_steps(
        instances: Arc<Instances<P>>,
        id: ProcessId,
        inputs: Vec<Heard<P>>,
    ) -> Result<(), HandleError> {
        for Heard { input, record, cause } in inputs {
            let position = cause.position;
            let step = instances.step(id.clone(), (input, record), cause, None);
            step.await.map_err(|failure| handle_error(failure, position))?;
        }
        Ok(())
    }
}

type ByInstance<P> = Vec<(ProcessId, Vec<Heard<P>>)>;

/// An event that the process hears.
struct Heard<P: Process> {
    input: P::Input,
    record: InputRecord,
    cause: Cause,
}

#[async_trait]
impl<P: Process> Subscriber for ProcessSubscriber<P> {
    fn name(&self) -> &str {
        &self.name
    }

    fn categories(&self) -> Option<Vec<String>> {
        Some(P::Input::categories().into_iter().map(str::to_owned).collect())
    }

    async fn checkpoint(&mut self) -> Result<Position, StoreError> {
        self.checkpoints.load_checkpoint(&self.name).await
    }

    async fn take_over(&mut self, fence: u64) -> Result<Position, HandleError> {
        self.handle(Batch { events: &[], read_to: Position::ZERO, fence }).await?;
        let done = self.checkpoint().await?;
        Ok(done.max(first_position::<P>(&self.worker.deps).await?))
    }

    /// Steps are idempotent by their input, so a batch may be repeated.
    fn saves_every_batch(&self) -> bool {
        false
    }

    /// Events wait for their instance. Of one that cannot be read, or whose `id` panics, nobody knows the instance: the later events of its own
    /// stream wait for it, unless other code wrote it, which stops the process here.
    fn parking_key(&self, event: &RecordedEvent) -> Option<StreamId> {
        let id = match heard::<P>(event) {
            Ok((_, id)) => id,
            Err(error) if error.downcast_ref::<DecodeError>().is_some_and(DecodeError::is_foreign) => {
                return None;
            }
            Err(_) => None,
        };
        let stream = id.and_then(|id| process_stream(P::NAME, &id).ok());
        Some(stream.unwrap_or_else(|| event.stream.clone()))
    }

    fn shares_parking(&self) -> bool {
        true
    }

    async fn handle_letter(&mut self, letter: &NewDeadLetter) -> Result<(), HandleError> {
        self.worker.redo(letter).await
    }

    async fn handle(&mut self, batch: Batch<'_>) -> Result<(), HandleError> {
        let instances = Arc::clone(&self.instances);
        let mut steps = stream::iter(Self::inputs(batch.events)?)
            .map(move |(id, inputs)| Self::take_steps(Arc::clone(&instances), id, inputs))
            .buffer_unordered(self.options.concurrent_steps.max(1));
        while let Some(result) = steps.next().await {
            result?;
        }
        if !batch.events.is_empty() {
            return Ok(());
        }
        let checkpoint =
            Checkpoint { subscription: self.name.clone(), position: batch.read_to, fence: batch.fence };
        Ok(self.checkpoints.save_checkpoint(checkpoint).await?)
    }
}

/// What the process hears of an event, and which of its instances. A panic is the event's fault, not that of the task
/// which hands out all events.
fn heard<P: Process>(event: &RecordedEvent) -> Result<(P::Input, Option<ProcessId>), BoxError> {
    let input = P::Input::from_event(event)?;
    let id = catch_unwind(AssertUnwindSafe(|| P::id(&input)))
        .map_err(|panic| format!("`id` panicked: {}", panic_text(&*panic)))?;
    Ok((input, id))
}

fn record(event: &RecordedEvent) -> InputRecord {
    InputRecord::Event {
        id: event.id,
        position: event.position,
        event_type: event.event_type.clone().into_owned(),
    }
}

fn cause(event: &RecordedEvent) -> Cause {
    let metadata = event.metadata.decode();
    Cause {
        id: event.id,
        position: event.position,
        version: event.version,
        recorded_at: Some(event.recorded_at),
        metadata: EventMetadata {
            causation_id: Some(CausationId::from_uuid(event.id.as_uuid())),
            ..metadata
        },
    }
}

pub(super) fn handle_error(failure: Failure, position: Position) -> HandleError {
    match failure {
        Failure::Store(error) => error.into(),
        Failure::Overloaded | Failure::TimerGone => HandleError::Transient(failure.into()),
        Failure::Decode(ref error) if error.is_foreign() => HandleError::Fatal(failure.into()),
        Failure::Decode(_)
        | Failure::Encode(_)
        | Failure::Rejected(_)
        | Failure::Version { .. }
        | Failure::KeyReused
        | Failure::Invalid(_)
        | Failure::TooLarge(_)
        | Failure::Defect(_) => HandleError::Poison { position, source: failure.into() },
    }
}
