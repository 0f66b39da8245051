//! The failure policy: parking an event parks the later events of its stream until it is resolved.

use super::error::chain;
use super::follow::{Ended, Failing, Follow};
use super::{BoxError, FailurePolicy, HandleError, SubscriptionError};
use composable_rust_core::port::{NewDeadLetter, StoreError};
use composable_rust_core::{DeadLetterId, Position, RecordedEvent};

impl Follow<'_> {
    pub(super) async fn load_parked(&mut self) -> Result<(), StoreError> {
        let streams = self.deps.storage.dead_letters.parked_streams(self.monitor.name()).await?;
        self.parked = streams.into_iter().collect();
        self.monitor.parked(self.parked.len());
        Ok(())
    }

    /// Parks the events of parked streams; answers the others.
    pub(super) async fn set_aside(
        &mut self,
        events: Vec<RecordedEvent>,
    ) -> Result<Vec<RecordedEvent>, Ended> {
        if self.parked.is_empty() {
            return Ok(events);
        }
        let (parked, others): (Vec<_>, Vec<_>) =
            events.into_iter().partition(|event| self.parked.contains(&event.stream));
        for event in &parked {
            self.park(self.waiting_letter(event)).await?;
        }
        Ok(others)
    }

    /// Applies the failure policy to the event at `position`; answers what of the batch is to be handed over again.
    pub(super) async fn poisoned(
        &mut self,
        position: Position,
        source: BoxError,
        events: Vec<RecordedEvent>,
    ) -> Result<Vec<RecordedEvent>, Ended> {
        let Some(event) = events.iter().find(|event| event.position == position) else {
            return Err(self.failed(Box::new(HandleError::Poison { position, source })));
        };
        let after = match self.options.failure_policy {
            FailurePolicy::Stop => return Err(Ended::Failed(self.stopped_at(event, source))),
            FailurePolicy::Park { after } => after,
        };
        let stream = event.stream.clone();
        let mut letter = self.waiting_letter(event);
        let failing = self.count_failure(position);
        if failing.attempts < after {
            self.back_off(HandleError::Poison { position, source }, failing.attempts).await?;
            return Ok(events);
        }
        letter.attempts = failing.attempts;
        letter.first_failed_at = failing.since;
        letter.error_chain = chain(source.as_ref());
        tracing::error!(subscription = self.monitor.name(), %position, %stream, error = %source, "event parked");
        self.park(letter).await?;
        self.parked.insert(stream.clone());
        self.monitor.parked(self.parked.len());
        let (later, others): (Vec<_>, Vec<_>) =
            events.into_iter().partition(|event| event.stream == stream && event.position >= position);
        for event in later.iter().skip(1) {
            self.park(self.waiting_letter(event)).await?;
        }
        Ok(others)
    }

    fn count_failure(&mut self, position: Position) -> Failing {
        let first = Failing { position, attempts: 0, since: self.deps.environment.now() };
        let mut failing = self.failing.filter(|failing| failing.position == position).unwrap_or(first);
        failing.attempts += 1;
        self.failing = Some(failing);
        failing
    }

    fn stopped_at(&self, event: &RecordedEvent, source: BoxError) -> SubscriptionError {
        SubscriptionError::Poisoned {
            subscription: self.monitor.name().to_owned(),
            position: event.position,
            event: event.id,
            event_type: event.event_type.to_string(),
            stream: event.stream.clone(),
            source,
        }
    }

    /// The letter of an event that waits behind another of its stream.
    fn waiting_letter(&self, event: &RecordedEvent) -> NewDeadLetter {
        let now = self.deps.environment.now();
        NewDeadLetter {
            id: DeadLetterId::from_uuid(self.deps.environment.new_id()),
            subscription: self.monitor.name().to_owned(),
            stream: event.stream.clone(),
            position: Some(event.position),
            event_type: event.event_type.to_string(),
            payload: event.payload.clone(),
            error_chain: vec!["an earlier event of the stream is parked".to_owned()],
            attempts: 0,
            first_failed_at: now,
            last_failed_at: now,
        }
    }

    /// Adds a letter, trying until the queue takes it: an event is never passed without it.
    pub(super) async fn park(&mut self, letter: NewDeadLetter) -> Result<(), Ended> {
        let mut failures = 0;
        while let Err(error) = self.deps.storage.dead_letters.add(letter.clone()).await {
            failures += 1;
            self.back_off(error.into(), failures).await?;
        }
        Ok(())
    }
}
