//! The relay: committed events reach the bus through the log (a transactional outbox without a second table).

use async_trait::async_trait;
use composable_rust_core::Position;
use composable_rust_core::port::{BusError, Checkpoint, CheckpointStore, EventBus, Message, StoreError};
use composable_rust_projections::{Batch, HandleError, Subscriber};
use std::sync::Arc;

const NAME: &str = "relay";

/// Publishes the log to the bus, at least once and in order per stream.
#[derive(Debug)]
pub(crate) struct Relay {
    bus: Arc<dyn EventBus>,
    checkpoints: Arc<dyn CheckpointStore>,
}

impl Relay {
    pub(crate) fn new(bus: Arc<dyn EventBus>, checkpoints: Arc<dyn CheckpointStore>) -> Self {
        Self { bus, checkpoints }
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
        self.checkpoints.load_checkpoint(NAME).await
    }

    async fn handle(&mut self, batch: Batch<'_>) -> Result<(), HandleError> {
        if !batch.events.is_empty() {
            let messages = batch.events.iter().cloned().map(Message::of).collect();
            self.bus.publish(messages).await.map_err(handle_error)?;
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
        error @ (BusError::Unavailable { .. } | BusError::Malformed { .. } | _) => {
            HandleError::Transient(error.into())
        }
    }
}
