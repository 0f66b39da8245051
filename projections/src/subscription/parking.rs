//! Which streams of a subscription wait behind a dead letter, known to everybody who works for it in this instance.

use composable_rust_core::StreamId;
use composable_rust_core::port::{DeadLetterQueue, NewDeadLetter, StoreError};
use event_listener::{Event, EventListener};
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The parked streams of one subscription: the dead letters say which, this remembers them.
#[derive(Debug, Default)]
pub struct Parking {
    streams: Mutex<BTreeSet<StreamId>>,
    /// Between asking the dead letters and remembering the answer nobody else may park.
    turn: tokio::sync::Mutex<()>,
    changed: Event,
}

impl Parking {
    /// Whether no stream is parked.
    pub fn is_empty(&self) -> bool {
        self.known().is_empty()
    }

    /// How many streams are parked.
    pub fn len(&self) -> usize {
        self.known().len()
    }

    /// Whether `stream` is parked.
    pub fn contains(&self, stream: &StreamId) -> bool {
        self.known().contains(stream)
    }

    /// All parked streams, in order.
    pub fn streams(&self) -> Vec<StreamId> {
        self.known().iter().cloned().collect()
    }

    /// Completes when a stream was parked or is free again.
    pub fn changed(&self) -> EventListener {
        self.changed.listen()
    }

    /// Asks the dead letters of `subscription` again.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed; what was known stays.
    ///
    /// # Cancel safety
    /// Dropping the future leaves what was known.
    pub async fn load(&self, queue: &dyn DeadLetterQueue, subscription: &str) -> Result<(), StoreError> {
        let _turn = self.turn.lock().await;
        let found: BTreeSet<StreamId> = queue.parked_streams(subscription).await?.into_iter().collect();
        let differs = {
            let mut known = self.known();
            let differs = *known != found;
            *known = found;
            differs
        };
        if differs {
            self.changed.notify(usize::MAX);
        }
        Ok(())
    }

    /// Parks the stream of `letter`.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed; whether it is parked is known after the next [`Self::load`].
    ///
    /// # Cancel safety
    /// As after an error.
    pub async fn park(&self, queue: &dyn DeadLetterQueue, letter: NewDeadLetter) -> Result<(), StoreError> {
        let _turn = self.turn.lock().await;
        let stream = letter.stream.clone();
        queue.add(letter).await?;
        self.known().insert(stream);
        self.changed.notify(usize::MAX);
        Ok(())
    }

    fn known(&self) -> MutexGuard<'_, BTreeSet<StreamId>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
