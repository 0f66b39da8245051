//! The instances of one process: their cached states, and the taking of steps.

use super::ProcessOptions;
use super::record::{InputRecord, state_after};
use super::step_run::{Cause, StepRun};
use crate::command::{Done, Executor, Failure, Invocation, RequestContext, Slot, SlotGuard, Slots};
use composable_rust_core::port::{EventStore, StreamRange, TimerClaim};
use composable_rust_core::{CommandId, Process, ProcessId, StreamId, StreamVersion, process_stream};
use event_listener::Event;
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;

/// The instances of process `P`.
pub(crate) struct Instances<P> {
    slots: Slots<Arc<P>>,
    executor: Arc<Executor>,
    /// Told after each step, since it may have left work to do.
    stepped: Event,
}

impl<P: Process> fmt::Debug for Instances<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instances").field("process", &P::NAME).finish_non_exhaustive()
    }
}

impl<P: Process> Instances<P> {
    pub(crate) fn new(executor: Arc<Executor>, options: &ProcessOptions) -> Self {
        Self { slots: Slots::new(options.cached_instances), executor, stepped: Event::new() }
    }

    pub(super) async fn enter(&self, stream: &StreamId) -> Result<SlotGuard<Arc<P>>, Failure> {
        self.slots.enter(stream, load(&*self.executor.store, stream)).await
    }

    /// Completes after the next step of any instance.
    pub(super) fn stepped(&self) -> event_listener::EventListener {
        self.stepped.listen()
    }

    /// Takes the step that `input` leads to, unless it was taken before or its timer is gone; answers whether it was
    /// taken before.
    pub(super) async fn step(
        self: &Arc<Self>,
        id: ProcessId,
        input: (P::Input, InputRecord),
        cause: Cause,
        due: Option<Due>,
    ) -> Result<bool, Failure> {
        let stream = process_stream(P::NAME, &id)?;
        let (input, record) = input;
        let reference = record.reference(due.map(|due| due.token));
        let request = RequestContext {
            correlation_id: cause.metadata.correlation_id,
            causation_id: cause.metadata.causation_id,
            user_id: cause.metadata.user_id,
            trace_parent: cause.metadata.trace_parent.clone(),
            ..RequestContext::with_id(CommandId::derived(&["step", stream.as_str(), &reference]))
        };
        let invocation = Invocation { request, claim: due.and_then(|due| due.claim), looks_up: false };
        let mut run = StepRun::new(Arc::clone(self), (id, stream), (input, record), cause, reference);
        let result = self.executor.execute(&mut [&mut run], &invocation).await;
        self.stepped.notify(usize::MAX);
        if matches!(result, Ok(Done::Written(_))) {
            metrics::counter!("process_steps_total", "process" => P::NAME).increment(1);
        }
        match result {
            Ok(Done::Written(_)) | Err(Failure::TimerGone) => Ok(false),
            Ok(Done::Replayed(_)) => Ok(true),
            Err(failure) => Err(failure),
        }
    }
}

/// The timer that is an input, or whose work led to one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    /// The schedule: names the input among all inputs of the instance.
    pub(super) token: Uuid,
    /// The right to act on it; a dead letter needs none, its token is used once.
    pub(super) claim: Option<TimerClaim>,
}

/// The state after the last step.
async fn load<P: Process>(store: &dyn EventStore, stream: &StreamId) -> Result<Slot<Arc<P>>, Failure> {
    let last = store.read_stream(stream, StreamRange::latest(1)).await?;
    match last.first() {
        Some(event) => Ok(Slot::new(Arc::new(state_after(event)?), event.version)),
        None => Ok(Slot::new(Arc::new(P::default()), StreamVersion::ZERO)),
    }
}
