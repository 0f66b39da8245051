//! Ports with a hook, through which a bug gets at what passes. Everything else goes through as it is.

use composable_rust::port::{
    Append, AppendError, Appended, Checkpoint, CheckpointStore, CommandRecord, EventStore, LogPage, LogQuery,
    NewTimer, Page, Query, ReadModel, ReadModelStore, Skip, Storage, StoreError, StoredResponse, StoredRow,
    StreamRange, Timer, TimerClaim, TimerStore, ViewBatch,
};
use composable_rust::prelude::async_trait;
use composable_rust::{CommandId, NewEvent, Position, RecordedEvent, Signal, StreamId, StreamVersion};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use ticketing::payment::gateway::{
    Booked, ChargeAnswer, NoAnswer, Order, PaymentGateway, SimulatedGateway, StopAnswer,
};
use ticketing::shared::{Money, PaymentId, RefundId};
use uuid::Uuid;

/// What happens to appends on their way.
#[async_trait]
pub(super) trait OnAppend: Debug + Send + Sync {
    async fn on_append(&self, _: &mut Append) {}

    async fn append_batch(&self, right: &dyn EventStore, mut batch: Vec<Append>) -> AllAppended {
        for append in &mut batch {
            self.on_append(append).await;
        }
        right.append_batch(batch).await
    }

    /// Under which id a command is kept.
    fn kept_as(&self, id: CommandId) -> CommandId {
        id
    }
}

/// What became of a batch of appends.
pub(super) type AllAppended = Result<Vec<Result<Appended, AppendError>>, StoreError>;

/// Changes what an event says.
pub(super) fn rewrite(event: &mut NewEvent, change: impl FnOnce(&mut Value)) {
    let mut content: Value = serde_json::from_slice(&event.payload).expect("JSON");
    change(&mut content);
    event.payload = content.to_string().into();
}

/// The events of this name that an append brings, each with the key of its stream.
pub(super) fn named<'a>(
    append: &'a mut Append,
    name: &'a str,
) -> impl Iterator<Item = (String, &'a mut NewEvent)> {
    append.streams.iter_mut().flat_map(move |part| {
        let key = part.stream.key().to_owned();
        let events = part.events.iter_mut().filter(move |event| event.event_type == name);
        events.map(move |event| (key.clone(), event))
    })
}

/// An event store with a hook before each append.
#[derive(Debug)]
pub(super) struct Appending<H> {
    pub(super) right: Arc<dyn EventStore>,
    pub(super) hook: H,
}

#[async_trait]
impl<H: OnAppend> EventStore for Appending<H> {
    async fn append_batch(&self, batch: Vec<Append>) -> AllAppended {
        self.hook.append_batch(&*self.right, batch).await
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
        self.right.find_command(self.hook.kept_as(id)).await
    }

    async fn save_response(&self, id: CommandId, response: StoredResponse) -> Result<(), StoreError> {
        self.right.save_response(self.hook.kept_as(id), response).await
    }

    fn signal(&self) -> &Signal {
        self.right.signal()
    }
}

/// Timers with a hook where they become due.
#[derive(Debug)]
pub(super) struct Due<H> {
    pub(super) right: Arc<dyn TimerStore>,
    pub(super) hook: H,
}

/// What happens to timers that are due.
#[async_trait]
pub(super) trait OnDue: Debug + Send + Sync {
    async fn on_due(&self, right: &dyn TimerStore, due: Vec<Timer>) -> Result<Vec<Timer>, StoreError>;
}

/// Timers of one kind that live in memory: those set before the storage was opened never become due.
#[derive(Debug, Clone)]
pub(super) struct InMemory {
    is_meant: fn(&NewTimer) -> bool,
    /// The schedules since the start.
    known: Arc<Mutex<BTreeSet<Uuid>>>,
}

impl InMemory {
    /// The storage with such timers in it.
    pub(super) fn timers(right: Storage, is_meant: fn(&NewTimer) -> bool) -> Storage {
        let hook = Self { is_meant, known: Arc::default() };
        let events = Appending { right: Arc::clone(&right.events), hook: hook.clone() };
        let timers = Due { right: Arc::clone(&right.timers), hook };
        Storage { events: Arc::new(events), timers: Arc::new(timers), ..right }
    }
}

#[async_trait]
impl OnAppend for InMemory {
    async fn on_append(&self, append: &mut Append) {
        self.known.lock().unwrap().extend(append.timers.schedule.iter().map(|timer| timer.token));
    }
}

#[async_trait]
impl OnDue for InMemory {
    async fn on_due(&self, _: &dyn TimerStore, mut due: Vec<Timer>) -> Result<Vec<Timer>, StoreError> {
        let known = self.known.lock().unwrap();
        due.retain(|Timer { timer, .. }| !(self.is_meant)(timer) || known.contains(&timer.token));
        Ok(due)
    }
}

/// Whether this is work to `schedule`, `dispatch` or `call`.
pub(super) fn is_to(kind: &str, timer: &NewTimer) -> bool {
    String::from_utf8_lossy(&timer.payload).contains(&format!(r#""do":"{kind}""#))
}

#[async_trait]
impl<H: OnDue> TimerStore for Due<H> {
    async fn due(
        &self,
        queue: &str,
        now: Timestamp,
        skip: Skip<'_>,
        limit: usize,
    ) -> Result<Vec<Timer>, StoreError> {
        let due = self.right.due(queue, now, skip, limit).await?;
        self.hook.on_due(&*self.right, due).await
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

/// A gateway that passes on what a bug does not touch.
#[async_trait]
pub(super) trait Passes: Debug + Send + Sync + 'static {
    fn right(&self) -> &SimulatedGateway;

    async fn charge(&self, payment: PaymentId, order: Order) -> Result<ChargeAnswer, NoAnswer> {
        self.right().charge(payment, order).await
    }

    async fn refund(&self, payment: PaymentId, refund: RefundId, amount: Money) -> Result<(), NoAnswer> {
        self.right().refund(payment, refund, amount).await
    }
}

/// The gateway with the bug in it.
#[derive(Debug)]
pub(super) struct Passing<G>(pub(super) G);

#[async_trait]
impl<G: Passes> PaymentGateway for Passing<G> {
    async fn charge(&self, payment: PaymentId, order: Order) -> Result<ChargeAnswer, NoAnswer> {
        self.0.charge(payment, order).await
    }

    async fn stop(&self, payment: PaymentId) -> Result<StopAnswer, NoAnswer> {
        self.0.right().stop(payment).await
    }

    async fn act(&self, payment: PaymentId, approves: bool) -> Result<ChargeAnswer, NoAnswer> {
        self.0.right().act(payment, approves).await
    }

    async fn refund(&self, payment: PaymentId, refund: RefundId, amount: Money) -> Result<(), NoAnswer> {
        self.0.refund(payment, refund, amount).await
    }

    async fn booked(&self, from: PaymentId, most: usize) -> Result<Vec<Booked>, NoAnswer> {
        self.0.right().booked(from, most).await
    }
}
