//! The relay: committed events reach the bus through the log (a transactional outbox without a second table).

use crate::resilience::{CircuitBreaker, CircuitOptions, Policy, PolicyError, Timeout};
use async_trait::async_trait;
use composable_rust_core::port::{BusError, Checkpoint, CheckpointStore, EventBus, Message, StoreError};
use composable_rust_core::{Clock, Position, RecordedEvent};
use composable_rust_projections::{Batch, HandleError, Subscriber};
use std::sync::Arc;
use std::time::Duration;

const NAME: &str = "relay";

/// The name of the circuit before the bus.
pub(crate) const BUS_CIRCUIT: &str = "bus";

/// Limits of the relay.
#[derive(Debug, Clone, Copy)]
pub struct RelayOptions {
    /// Most messages published at once. A bus that lets its publishers wait must not be given more than it can take
    /// within the timeout, else the same ones are published over and over. Default 200.
    pub max_batch: usize,
    /// How long the bus may take for so many. Default 10 s.
    pub publish_timeout: Duration,
    /// When the relay leaves a failing bus alone, and for how long.
    pub circuit: CircuitOptions,
}

impl Default for RelayOptions {
    fn default() -> Self {
        Self { max_batch: 200, publish_timeout: Duration::from_secs(10), circuit: CircuitOptions::default() }
    }
}

/// Publishes the log to the bus, at least once and in order per stream.
#[derive(Debug)]
pub(crate) struct Relay {
    bus: Arc<dyn EventBus>,
    checkpoints: Arc<dyn CheckpointStore>,
    circuit: CircuitBreaker,
    timeout: Timeout,
    max_batch: usize,
    /// Everything up to here was published in this turn.
    published: Position,
}

impl Relay {
    pub(crate) fn new(
        bus: Arc<dyn EventBus>,
        checkpoints: Arc<dyn CheckpointStore>,
        clock: &Arc<dyn Clock>,
        options: RelayOptions,
    ) -> Self {
        let circuit = CircuitBreaker::new(BUS_CIRCUIT, options.circuit, Arc::clone(clock));
        let timeout = Timeout::new(options.publish_timeout, Arc::clone(clock));
        Self { bus, checkpoints, circuit, timeout, max_batch: options.max_batch, published: Position::ZERO }
    }

    /// What keeps the relay from calling a bus that keeps failing.
    pub(crate) fn circuit(&self) -> CircuitBreaker {
        self.circuit.clone()
    }

    /// Publishes what an earlier attempt has not.
    async fn publish(&mut self, events: &[RecordedEvent]) -> Result<(), HandleError> {
        let done = events.partition_point(|event| event.position <= self.published);
        // All of it behind: then it is an old event that comes again.
        let left = if done == events.len() { events } else { &events[done..] };
        for part in left.chunks(self.max_batch) {
            let messages = part.iter().cloned().map(Message::of).collect();
            let publishing = async { self.bus.publish(messages).await.map_err(handle_error) };
            self.circuit.call(self.timeout.call(publishing)).await?;
            metrics::counter!("event_bus_messages_published_total").increment(part.len() as u64);
            let last = part.last().map_or(Position::ZERO, |event| event.position);
            self.published = self.published.max(last);
        }
        Ok(())
    }
}

#[async_trait]
impl Subscriber for Relay {
    fn name(&self) -> &str {
        NAME
    }

    fn categories(&self) -> Option<Vec<String>> {
        None
    }

    async fn checkpoint(&mut self) -> Result<Position, StoreError> {
        self.published = self.checkpoints.load_checkpoint(NAME).await?;
        Ok(self.published)
    }

    /// Publishing twice is allowed, and a durable checkpoint for each batch would halve the rate of appends.
    fn saves_every_batch(&self) -> bool {
        false
    }

    async fn handle(&mut self, batch: Batch<'_>) -> Result<(), HandleError> {
        if !batch.events.is_empty() {
            return self.publish(batch.events).await;
        }
        let checkpoint =
            Checkpoint { subscription: NAME.to_owned(), position: batch.read_to, fence: batch.fence };
        Ok(self.checkpoints.save_checkpoint(checkpoint).await?)
    }
}

fn handle_error(error: BusError) -> HandleError {
    match error {
        BusError::Closed => HandleError::Fatal(error.into()),
        // Whatever else the bus says, the events stay in the log and are published again.
        error @ (BusError::Unavailable { .. } | BusError::Setup(_) | BusError::Malformed { .. } | _) => {
            HandleError::Transient(error.into())
        }
    }
}

/// The events wait in the log until the bus is well again.
impl From<PolicyError> for HandleError {
    fn from(error: PolicyError) -> Self {
        Self::Transient(error.into())
    }
}
