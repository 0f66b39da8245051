//! What a subscription calls: the part that differs between projections, processes and the relay.

use super::HandleError;
use async_trait::async_trait;
use composable_rust_core::port::{NewDeadLetter, StoreError};
use composable_rust_core::{Position, RecordedEvent, StreamId};

/// A part of the log to handle.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// The events in order, without those of parked streams; may be empty.
    pub events: &'a [RecordedEvent],
    /// The checkpoint to save with their effects, also when there is no event. Without events it may lie behind the
    /// saved one, which then stays; the fence is saved all the same.
    pub read_to: Position,
    /// The fence of the lease; goes into the checkpoint.
    pub fence: u64,
}

/// Handles batches and keeps its own checkpoint.
///
/// # Contract
/// - A batch may come again, wholly or in part, after a failure or a crash: its effects must be durable together with
///   its checkpoint (a projection: one transaction), or harmless to repeat (a process, the relay: save the checkpoint
///   after the effects, with [`CheckpointStore`](composable_rust_core::port::CheckpointStore)).
/// - Futures may be dropped at any await when the lease is lost; that must be no worse than a crash.
#[async_trait]
pub trait Subscriber: Send + Sync {
    /// Names the checkpoint, the lease and the dead letters.
    fn name(&self) -> &str;

    /// Only events of these categories; `None` reads all.
    fn categories(&self) -> Option<Vec<String>>;

    /// The saved checkpoint.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed.
    ///
    /// # Cancel safety
    /// It only reads: drop it at any time.
    async fn checkpoint(&mut self) -> Result<Position, StoreError>;

    /// Shuts out whoever held the lease before, although nothing has been handled yet, and answers the checkpoint from
    /// which to go on. Called once under each lease, before anything else.
    ///
    /// The default saves the fence with an empty batch at [`Position::ZERO`], which moves no checkpoint.
    ///
    /// # Errors
    /// [`HandleError`]; [`HandleError::Fenced`] when the lease has passed on already.
    ///
    /// # Cancel safety
    /// As [`Self::handle`].
    async fn take_over(&mut self, fence: u64) -> Result<Position, HandleError> {
        // A projection makes its read model ready here.
        self.checkpoint().await?;
        self.handle(Batch { events: &[], read_to: Position::ZERO, fence }).await?;
        // Only what is loaded after the fence stands is what the last holder came to.
        Ok(self.checkpoint().await?)
    }

    /// Whether [`Self::handle`] saves the checkpoint of every batch, or only that of a batch without events.
    ///
    /// Whoever's effects are harmless to repeat may say `false`: that spares a durable write for each batch. A batch
    /// without events then follows within [`lazy_checkpoint`](super::SubscriptionOptions::lazy_checkpoint) and at
    /// the end; after a crash as much is repeated.
    fn saves_every_batch(&self) -> bool {
        true
    }

    /// Handles a batch and saves its checkpoint; see [`Self::saves_every_batch`].
    ///
    /// # Errors
    /// [`HandleError`] says what follows. On [`HandleError::Poison`] the batch is handed over again, after a pause
    /// or without that event.
    ///
    /// # Cancel safety
    /// May be dropped when the lease is lost; the next holder repeats the batch.
    async fn handle(&mut self, batch: Batch<'_>) -> Result<(), HandleError>;

    /// Under which stream `event` is parked: it waits behind the dead letters of that stream, and later events wait
    /// behind it. `None` when it cannot be told whom the event concerns; such an event is not parked, it stops the
    /// subscription whatever its failure policy.
    ///
    /// The default is the event's own stream.
    fn parking_key(&self, event: &RecordedEvent) -> Option<StreamId> {
        Some(event.stream.clone())
    }

    /// Whether others park under this subscription's name too, so that the dead letters are looked at also while
    /// none is known here.
    fn shares_parking(&self) -> bool {
        false
    }

    /// Handles what was parked and is no event. May be called again for the same letter. The default has nothing to do.
    ///
    /// # Errors
    /// [`HandleError`]; it then stays parked.
    ///
    /// # Cancel safety
    /// As [`Self::handle`].
    async fn handle_letter(&mut self, _letter: &NewDeadLetter) -> Result<(), HandleError> {
        Ok(())
    }

    /// Handles one event that was parked, behind the checkpoint. May be called again for the same event.
    ///
    /// The default hands it over as a batch whose checkpoint lies in the past, which a checkpoint store ignores.
    /// Whoever refuses a batch behind the checkpoint (a projection) does it another way.
    ///
    /// # Errors
    /// [`HandleError`]; the event then stays parked.
    ///
    /// # Cancel safety
    /// As [`Self::handle`].
    async fn handle_parked(&mut self, event: &RecordedEvent, fence: u64) -> Result<(), HandleError> {
        let events = std::slice::from_ref(event);
        self.handle(Batch { events, read_to: event.position, fence }).await
    }
}
