//! One aggregate's part in a command.

use super::aggregates::{Aggregates, Cached};
use super::chain::Chain;
use super::earlier::Earlier;
use super::error::{AnyRejection, Failure};
use super::expectation::Expectation;
use super::participant::{Decided, Deciding, Participant, Undecided};
use super::slots::SlotGuard;
use async_trait::async_trait;
use composable_rust_core::port::{Appended, CommandRecord, StreamAppend};
use composable_rust_core::{
    Action, Command, CommandOf, Decider, Event, EventId, EventOf, EventType, ExpectedVersion, InvalidId,
    KeyOf, NewEvent, StreamId, StreamVersion, stream_of,
};
use std::any::Any;
use std::sync::Arc;

/// A command on its way to one aggregate.
pub(crate) struct Target<D: Decider> {
    aggregates: Arc<Aggregates<D>>,
    stream: StreamId,
    command: CommandOf<D>,
    expected: Expectation,
    wants_state: bool,
    inform: Option<Inform<CommandOf<D>>>,
    guard: Option<SlotGuard<Cached<D>>>,
    outcome: Outcome<D>,
}

/// Completes a command with what earlier parts decided.
pub(crate) type Inform<C> = Box<dyn Fn(&mut C, &Earlier<'_>) + Send + Sync>;

/// What came of the last decision.
struct Outcome<D: Decider> {
    events: Vec<EventOf<D>>,
    bytes: u64,
    rejection: Option<D::Rejection>,
    state: Option<Arc<D>>,
    snapshot: Option<(StreamVersion, Arc<D>)>,
}

impl<D: Decider> Default for Outcome<D> {
    fn default() -> Self {
        Self { events: Vec::new(), bytes: 0, rejection: None, state: None, snapshot: None }
    }
}

/// A command's part in one aggregate: what it wrote there.
#[derive(Debug, Clone, PartialEq)]
pub struct Part<D: Decider> {
    /// The events.
    pub events: Vec<EventOf<D>>,
    /// The aggregate's version after them.
    pub version: StreamVersion,
    /// The state after them, where it was asked for.
    pub(crate) state: Option<Arc<D>>,
}

impl<D: Decider> Target<D> {
    pub(crate) fn new(
        aggregates: Arc<Aggregates<D>>,
        key: &KeyOf<D>,
        command: CommandOf<D>,
        wants_state: bool,
    ) -> Result<Self, InvalidId> {
        let stream = stream_of::<D>(key)?;
        Ok(Self {
            aggregates,
            stream,
            command,
            expected: Expectation::default(),
            wants_state,
            inform: None,
            guard: None,
            outcome: Outcome::default(),
        })
    }

    /// Only at a version that is expected.
    pub(crate) fn expecting(mut self, expected: Expectation) -> Self {
        self.expected = expected;
        self
    }

    /// Completed, at each decision, with what earlier parts decided.
    pub(crate) fn informed_by(mut self, inform: Inform<CommandOf<D>>) -> Self {
        self.inform = Some(inform);
        self
    }

    /// The refusal, after the executor has reported one of this participant.
    pub(crate) fn take_rejection(&mut self) -> Option<D::Rejection> {
        self.outcome.rejection.take()
    }

    pub(crate) fn take_command(self) -> CommandOf<D> {
        self.command
    }

    /// What was written just now.
    pub(crate) fn written(&mut self, appended: &Appended) -> Result<Part<D>, Failure> {
        let version = version_in(appended, &self.stream)?.1;
        if let Some((at, state)) = self.outcome.snapshot.take() {
            self.aggregates.save_snapshot(&self.stream, at, state);
        }
        let outcome = std::mem::take(&mut self.outcome);
        Ok(Part { events: outcome.events, version, state: outcome.state })
    }

    /// The aggregate's version after an append.
    pub(crate) fn version_in(&self, appended: &Appended) -> Result<StreamVersion, Failure> {
        Ok(version_in(appended, &self.stream)?.1)
    }

    /// What was written when the command was decided first.
    pub(crate) async fn replayed(&self, record: &CommandRecord) -> Result<Part<D>, Failure> {
        let (before, version) = version_in(&record.appended, &self.stream)?;
        let events = self.aggregates.events_between(&self.stream, before, version).await?;
        let state = if self.wants_state {
            Some(Arc::new(self.aggregates.load_at(&self.stream, version).await?))
        } else {
            None
        };
        Ok(Part { events, version, state })
    }

    fn encode(
        stream: &StreamId,
        events: &[EventOf<D>],
        deciding: &Deciding<'_>,
    ) -> Result<(Vec<NewEvent>, u64), Failure> {
        let mut bytes = 0;
        let encode = |event: &EventOf<D>| {
            let payload = event.encode()?;
            check_null(stream, event, &payload)?;
            bytes += payload.len() as u64;
            Ok::<_, Failure>(NewEvent {
                id: EventId::from_uuid(deciding.environment.new_id()),
                event_type: EventType::Borrowed(event.event_type()),
                schema_version: event.schema_version(),
                payload: payload.into(),
                metadata: deciding.metadata.clone(),
            })
        };
        let encoded = events.iter().map(encode).collect::<Result<_, _>>()?;
        Ok((encoded, bytes))
    }
}

/// Refuses what JSON keeps as `null` and does not give back, such as a number that is not finite: once it is written, the
/// stream could never be read again. Whatever else is encoded comes back.
fn check_null<E: Event>(stream: &StreamId, event: &E, payload: &[u8]) -> Result<(), Failure> {
    if !payload.windows(4).any(|part| part == b"null") {
        return Ok(());
    }
    let (name, schema) = (event.event_type(), event.schema_version());
    match E::decode_parts(stream, name, schema, payload) {
        Ok(decoded) if decoded == *event => Ok(()),
        Ok(_) => Err(Failure::Defect(format!("{name:?} does not come back from its encoding as it was"))),
        Err(error) => Err(Failure::Defect(format!("{name:?} does not come back from its encoding: {error}"))),
    }
}

/// The versions of `stream` before and after an append. A record without the stream belongs to another request.
fn version_in(appended: &Appended, stream: &StreamId) -> Result<(StreamVersion, StreamVersion), Failure> {
    let written =
        appended.streams.iter().find(|written| written.stream == *stream).ok_or(Failure::KeyReused)?;
    Ok((written.before, written.after))
}

#[async_trait]
impl<D: Decider> Participant for Target<D> {
    fn stream(&self) -> &StreamId {
        &self.stream
    }

    fn command_name(&self) -> &'static str {
        self.command.name()
    }

    async fn warm(&mut self) -> Result<(), Failure> {
        self.aggregates.warm(&self.stream).await
    }

    async fn enter(&mut self) -> Result<(), Failure> {
        self.outcome = Outcome::default();
        self.guard = Some(self.aggregates.enter(&self.stream).await?);
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

    fn decide(&mut self, deciding: &Deciding<'_>) -> Result<Decided, Undecided> {
        let Some(mut append) = self.check() else {
            return Err(Undecided::Failed(Failure::Overloaded));
        };
        let Some(slot) = self.guard.as_ref().and_then(|guard| guard.as_ref()) else {
            return Err(Undecided::Failed(Failure::Overloaded));
        };
        if !self.expected.accepts(slot.version) {
            return Err(Undecided::Failed(Failure::Version {
                stream: self.stream.clone(),
                expected: self.expected.clone(),
                actual: slot.version,
            }));
        }
        let mut command = self.command.clone();
        if let Some(inform) = &self.inform {
            inform(&mut command, &deciding.earlier);
        }
        let decision = slot.state.state.decide(command, &deciding.context);
        let events = decision.map_err(|rejection| {
            self.outcome.rejection = Some(rejection);
            Undecided::Refused
        })?;
        (append.events, self.outcome.bytes) =
            Self::encode(&self.stream, &events, deciding).map_err(Undecided::Failed)?;
        self.outcome.events = events;
        Ok(Decided { append, cancel: Vec::new(), schedule: Vec::new() })
    }

    fn decided(&self) -> &dyn Any {
        &self.outcome.events
    }

    fn advance(&mut self) {
        let Some(slot) = self.guard.as_mut().and_then(|guard| guard.as_mut()) else { return };
        let state = Arc::make_mut(&mut slot.state.state);
        self.outcome.events.iter().for_each(|event| state.evolve(event));
        let count = self.outcome.events.len() as u64;
        slot.version = slot.version.plus(count);
        slot.state.since.events += count;
        slot.state.since.bytes += self.outcome.bytes;
        if self.aggregates.snapshot_is_due(&mut slot.state) {
            self.outcome.snapshot = Some((slot.version, Arc::clone(&slot.state.state)));
        }
        if self.wants_state {
            self.outcome.state = Some(Arc::clone(&slot.state.state));
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

/// A target among several, with its types erased.
pub(crate) trait AnyTarget: Participant {
    /// This target's refusal, when it is the one that refused.
    fn any_rejection(&mut self, part: usize) -> Option<AnyRejection>;
}

impl<D: Decider> AnyTarget for Target<D> {
    fn any_rejection(&mut self, part: usize) -> Option<AnyRejection> {
        let rejection = self.take_rejection()?;
        Some(AnyRejection::new(D::Action::CATEGORY, part, &rejection))
    }
}
