//! The failure policy: parking an event parks the later events of its key until it is resolved. The key is the event's
//! stream unless the subscriber says otherwise.

use super::follow::{Ended, Failing, Follow};
use super::{BoxError, FailurePolicy, HandleError, SubscriptionError};
use composable_rust_core::error_chain;
use composable_rust_core::port::{NewDeadLetter, StoreError};
use composable_rust_core::{DeadLetterId, Position, RecordedEvent, StreamId};

impl Follow<'_> {
    pub(super) async fn load_parked(&mut self) -> Result<(), StoreError> {
        self.monitor.parking().load(&*self.deps.storage.dead_letters, self.monitor.name()).await
    }

    /// Parks the events of parked streams; answers the others.
    pub(super) async fn set_aside(
        &mut self,
        events: Vec<RecordedEvent>,
    ) -> Result<Vec<RecordedEvent>, Ended> {
        if self.monitor.parking().is_empty() {
            return Ok(events);
        }
        let mut others = Vec::with_capacity(events.len());
        for event in events {
            match self.waits_behind(&event) {
                Some(key) => self.park(self.waiting_letter(&event, key)).await?,
                None => others.push(event),
            }
        }
        Ok(others)
    }

    /// Behind the letters of which stream `event` has to wait. An event that could not be read was parked under its own
    /// stream, whatever the key of those after it is.
    fn waits_behind(&self, event: &RecordedEvent) -> Option<StreamId> {
        let key = self.subscriber.parking_key(event)?;
        let parking = self.monitor.parking();
        [event.stream.clone(), key].into_iter().find(|stream| parking.contains(stream))
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
        let (after, key) = match (self.options.failure_policy, self.subscriber.parking_key(event)) {
            (FailurePolicy::Park { after }, Some(key)) => (after, key),
            (FailurePolicy::Stop, _) | (_, None) => {
                return Err(Ended::Failed(self.stopped_at(event, source)));
            }
        };
        let mut letter = self.waiting_letter(event, key.clone());
        let failing = self.count_failure(position);
        if failing.attempts < after {
            self.back_off(HandleError::Poison { position, source }, failing.attempts).await?;
            return Ok(events);
        }
        letter.attempts = failing.attempts;
        letter.first_failed_at = failing.since;
        letter.error_chain = error_chain(source.as_ref());
        tracing::error!(subscription = self.monitor.name(), %position, %key, error = %source, "event parked");
        self.park(letter).await?;
        // The later ones of its key follow it.
        let rest = events.into_iter().filter(|event| event.position != position);
        let (before, after): (Vec<_>, Vec<_>) = rest.partition(|event| event.position < position);
        let mut left = before;
        left.extend(self.set_aside(after).await?);
        Ok(left)
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
    fn waiting_letter(&self, event: &RecordedEvent, key: StreamId) -> NewDeadLetter {
        let now = self.deps.environment.now();
        NewDeadLetter {
            id: DeadLetterId::from_uuid(self.deps.environment.new_id()),
            subscription: self.monitor.name().to_owned(),
            stream: key,
            position: Some(event.position),
            event_type: event.event_type.to_string(),
            payload: event.payload.clone(),
            error_chain: vec!["what comes before it is parked".to_owned()],
            attempts: 0,
            first_failed_at: now,
            last_failed_at: now,
        }
    }

    /// Adds a letter, trying until the queue takes it: an event is never passed without it.
    pub(super) async fn park(&mut self, letter: NewDeadLetter) -> Result<(), Ended> {
        let mut failures = 0;
        let queue = &self.deps.storage.dead_letters;
        while let Err(error) = self.monitor.parking().park(&**queue, letter.clone()).await {
            failures += 1;
            self.back_off(error.into(), failures).await?;
        }
        Ok(())
    }
}
