//! Ports with a hook, through which a bug gets at what passes. Everything else goes through as it is.

use composable_rust::port::{
    Append, AppendError, Appended, Checkpoint, CheckpointStore, CommandRecord, EventStore, LogPage, LogQuery,
    Page, Query, ReadModel, ReadModelStore, Skip, StoreError, StoredResponse, StoredRow, StreamRange, Timer,
    TimerClaim, TimerStore, ViewBatch,
};
use composable_rust::prelude::async_trait;
use composable_rust::{CommandId, Position, RecordedEvent, Signal, StreamId, StreamVersion};
use jiff::Timestamp;
use std::fmt::Debug;
use std::sync::Arc;

/// What happens to an append on its way.
#[async_trait]
pub(super) trait OnAppend: Debug + Send + Sync {
    async fn on_append(&self, append: &mut Append);
}

/// An event store with a hook before each append.
#[derive(Debug)]
pub(super) struct Appending<H> {
    pub(super) right: Arc<dyn EventStore>,
    pub(super) hook: H,
}

#[async_trait]
impl<H: OnAppend> EventStore for Appending<H> {
    async fn append_batch(
        &self,
        mut batch: Vec<Append>,
    ) -> Result<Vec<Result<Appended, AppendError>>, StoreError> {
        for append in &mut batch {
            self.hook.on_append(append).await;
        }
        self.right.append_batch(batch).await
    }

    async fn read_stream(
        &self,
        stream: &StreamId,
        range: StreamRange,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        self.right.read_stream(stream, range).await
    }

    async fn stream_version(&self, stream: &StreamId) -> Result<StreamVersion, StoreError> {
        self.right.stream_version(stream).await
    }

    async fn read_log(&self, query: LogQuery<'_>) -> Result<LogPage, StoreError> {
        self.right.read_log(query).await
    }

    async fn find_command(&self, id: CommandId) -> Result<Option<CommandRecord>, StoreError> {
        self.right.find_command(id).await
    }

    async fn save_response(&self, id: CommandId, response: StoredResponse) -> Result<(), StoreError> {
        self.right.save_response(id, response).await
    }

    fn signal(&self) -> &Signal {
        self.right.signal()
    }
}

/// Timers of which only those that `is_known` names become due.
#[derive(Debug)]
pub(super) struct SomeTimers<K> {
    pub(super) right: Arc<dyn TimerStore>,
    pub(super) known: K,
}

/// Which timers are known.
pub(super) trait Knows: Debug + Send + Sync {
    fn knows(&self, timer: &Timer) -> bool;
}

#[async_trait]
impl<K: Knows> TimerStore for SomeTimers<K> {
    async fn due(
        &self,
        queue: &str,
        now: Timestamp,
        skip: Skip<'_>,
        limit: usize,
    ) -> Result<Vec<Timer>, StoreError> {
        let mut due = self.right.due(queue, now, skip, limit).await?;
        due.retain(|timer| self.known.knows(timer));
        Ok(due)
    }

    async fn next_due(&self, queue: &str, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.right.next_due(queue, now).await
    }

    async fn queues(&self) -> Result<Vec<String>, StoreError> {
        self.right.queues().await
    }

    async fn postpone(&self, claim: TimerClaim, due: Timestamp) -> Result<bool, StoreError> {
        self.right.postpone(claim, due).await
    }

    async fn remove(&self, claim: TimerClaim) -> Result<bool, StoreError> {
        self.right.remove(claim).await
    }

    async fn pending(&self, stream: &StreamId) -> Result<Vec<Timer>, StoreError> {
        self.right.pending(stream).await
    }
}

/// Checkpoints that are forgotten at each start: everything is delivered once more.
#[derive(Debug)]
pub(super) struct Forgotten(pub(super) Arc<dyn CheckpointStore>);

#[async_trait]
impl CheckpointStore for Forgotten {
    async fn load_checkpoint(&self, _: &str) -> Result<Position, StoreError> {
        Ok(Position::ZERO)
    }

    async fn save_checkpoint(&self, checkpoint: Checkpoint) -> Result<(), StoreError> {
        self.0.save_checkpoint(checkpoint).await
    }
}

/// Read models whose batches are committed otherwise.
#[derive(Debug)]
pub(super) struct Committing<H> {
    pub(super) right: Arc<dyn ReadModelStore>,
    pub(super) hook: H,
}

/// How a batch is committed.
#[async_trait]
pub(super) trait OnCommit: Debug + Send + Sync {
    async fn commit(&self, right: &dyn ReadModelStore, batch: ViewBatch) -> Result<(), StoreError>;
}

#[async_trait]
impl<H: OnCommit> ReadModelStore for Committing<H> {
    async fn prepare(&self, model: &ReadModel) -> Result<(), StoreError> {
        self.right.prepare(model).await
    }

    async fn load(&self, model: &ReadModel, keys: &[String]) -> Result<Vec<StoredRow>, StoreError> {
        self.right.load(model, keys).await
    }

    async fn commit(&self, batch: ViewBatch) -> Result<(), StoreError> {
        self.hook.commit(&*self.right, batch).await
    }

    async fn get(
        &self,
        model: &ReadModel,
        subscription: &str,
        key: &str,
    ) -> Result<(Option<StoredRow>, Position), StoreError> {
        self.right.get(model, subscription, key).await
    }

    async fn query(
        &self,
        model: &ReadModel,
        subscription: &str,
        query: &Query,
    ) -> Result<(Page<StoredRow>, Position), StoreError> {
        self.right.query(model, subscription, query).await
    }

    async fn live_generation(&self, name: &str) -> Result<Option<(u32, String)>, StoreError> {
        self.right.live_generation(name).await
    }

    async fn switch_generation(
        &self,
        name: &str,
        generation: u32,
        definition: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError> {
        self.right.switch_generation(name, generation, definition, checkpoint).await
    }

    async fn drop_generation(&self, model: &ReadModel) -> Result<(), StoreError> {
        self.right.drop_generation(model).await
    }
}
