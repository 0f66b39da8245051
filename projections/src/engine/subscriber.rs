//! One generation of a projection as a subscriber: fold a batch, commit rows and checkpoint in one transaction.

use super::{read_model, subscription_name};
use crate::{Batch, BoxError, HandleError, Subscriber};
use async_trait::async_trait;
use composable_rust_core::port::{Checkpoint, ReadModel, RowChange, Storage, StoreError, ViewBatch};
use composable_rust_core::{
    EventSet, Fault, Folded, Position, Projection, Recorded, RecordedEvent, RowBatch, StreamId,
};
use std::fmt;
use std::sync::Arc;

/// Maintains one generation of `P`'s rows.
///
/// Rows are known between batches because nobody else writes them while the lease is held. Whatever makes that
/// doubtful (a failed commit, whose outcome is unknown; a new turn) drops them, and they are loaded again.
pub struct ProjectionSubscriber<P: Projection> {
    projection: Arc<P>,
    storage: Storage,
    name: String,
    model: ReadModel,
    rows: RowBatch<P::Row>,
    rows_kept: usize,
    /// Whether a commit failed since the last checkpoint was read: the batch may be written already.
    in_doubt: bool,
}

impl<P: Projection> fmt::Debug for ProjectionSubscriber<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProjectionSubscriber").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<P: Projection> ProjectionSubscriber<P> {
    /// A subscriber for `generation`, which keeps at most `rows_kept` rows in memory between batches.
    pub fn new(projection: Arc<P>, generation: u32, storage: Storage, rows_kept: usize) -> Self {
        Self {
            projection,
            storage,
            name: subscription_name(P::NAME, generation),
            model: read_model::<P>(generation),
            rows: RowBatch::new(),
            rows_kept,
            in_doubt: false,
        }
    }

    /// Folds the events, loading rows until none is missing.
    async fn fold(&mut self, events: &[Recorded<P::Event>]) -> Result<Vec<RowChange>, HandleError> {
        loop {
            match self.rows.fold(self.projection.as_ref(), events) {
                Folded::Complete => {
                    return self.rows.changes().map_err(|(place, fault)| at_fault(events, place, fault));
                }
                Folded::Missing => {
                    let found = self.storage.views.load(&self.model, &self.rows.missing()).await?;
                    self.rows.supply(found).map_err(|error| HandleError::Fatal(error.into()))?;
                }
                Folded::Fault(place, fault) => return Err(at_fault(events, place, fault)),
            }
        }
    }

    async fn commit(&self, changes: Vec<RowChange>, checkpoint: Checkpoint) -> Result<(), StoreError> {
        let is_own = checkpoint.subscription == self.name;
        let fenced_by = (!is_own).then(|| self.name.clone());
        let batch = ViewBatch { model: self.model.clone(), changes, checkpoint, fenced_by };
        self.storage.views.commit(batch).await
    }
}

#[async_trait]
impl<P: Projection> Subscriber for ProjectionSubscriber<P> {
    fn name(&self) -> &str {
        &self.name
    }

    fn categories(&self) -> Option<Vec<String>> {
        Some(P::Event::categories().into_iter().map(str::to_owned).collect())
    }

    /// An event that newer code has written is not parked: this instance stops there, and one that can read it goes on.
    fn parking_key(&self, event: &RecordedEvent) -> Option<StreamId> {
        match P::Event::recorded(event) {
            Err(error) if error.is_foreign() => None,
            Ok(_) | Err(_) => Some(event.stream.clone()),
        }
    }

    async fn checkpoint(&mut self) -> Result<Position, StoreError> {
        self.rows.forget();
        self.storage.views.prepare(&self.model).await?;
        // The checkpoint that the rows show, from the store that has the rows.
        let (_, position) = self.storage.views.get(&self.model, &self.name, "").await?;
        self.in_doubt = false;
        Ok(position)
    }

    async fn handle(&mut self, batch: Batch<'_>) -> Result<(), HandleError> {
        let events = decode::<P::Event>(batch.events)?;
        let changes = self.fold(&events).await?;
        let checkpoint =
            Checkpoint { subscription: self.name.clone(), position: batch.read_to, fence: batch.fence };
        if let Err(error) = self.commit(changes, checkpoint).await {
            self.in_doubt = true;
            self.rows.forget();
            return Err(error.into());
        }
        if std::mem::take(&mut self.in_doubt) {
            // The first attempt may have been written after all, and this one, folded on top of it, ignored.
            self.rows.forget();
        } else {
            self.rows.settle(self.rows_kept);
        }
        Ok(())
    }

    /// Commits the event under a checkpoint of its stream's own, so that it takes effect once, however often it is
    /// tried, although the subscription's checkpoint has long passed it.
    async fn handle_parked(&mut self, event: &RecordedEvent, fence: u64) -> Result<(), HandleError> {
        let events = decode::<P::Event>(std::slice::from_ref(event))?;
        let changes = self.fold(&events).await;
        let subscription = format!("{}:parked:{}", self.name, event.stream);
        let checkpoint = Checkpoint { subscription, position: event.position, fence };
        let result = match changes {
            Ok(changes) => self.commit(changes, checkpoint).await.map_err(HandleError::from),
            Err(error) => Err(error),
        };
        // Whether this attempt or an earlier one was written is unknown here.
        self.rows.forget();
        result
    }
}

fn decode<E: EventSet>(events: &[RecordedEvent]) -> Result<Vec<Recorded<E>>, HandleError> {
    let decoded =
        events.iter().map(|event| E::recorded(event).map_err(|error| poison(event.position, error.into())));
    decoded.collect()
}

fn at_fault<E: EventSet>(events: &[Recorded<E>], place: usize, fault: Fault) -> HandleError {
    match events.get(place) {
        Some(event) => poison(event.position, fault.into()),
        None => HandleError::Fatal(fault.into()),
    }
}

fn poison(position: Position, source: BoxError) -> HandleError {
    HandleError::Poison { position, source }
}
