//! Carries out effects on the application's storage.

use async_trait::async_trait;
use composable_rust_core::effect::{
    AppendEvents, CancelTimer, DispatchCommand, DispatchError, Dispatched, Dispatcher, EffectHost,
    LoadEvents, LoadSnapshot, Notice, Notifier, PendingEvent, SaveSnapshot, ScheduleTimer,
};
use composable_rust_core::port::{
    Append, AppendError, Appended, EventStore, NewTimer, Snapshot, SnapshotStore, Storage, StoreError,
    TimerChanges,
};
use composable_rust_core::{Environment, EventId, NewEvent, RawMetadata, RecordedEvent};
use futures_util::{StreamExt, TryStreamExt};
use std::sync::Arc;

/// An [`EffectHost`] over the storage ports; commands and notices go where it is told.
#[derive(Debug, Clone)]
pub struct StorageHost {
    events: Arc<dyn EventStore>,
    snapshots: Arc<dyn SnapshotStore>,
    environment: Environment,
    dispatcher: Option<Arc<dyn Dispatcher>>,
    notifier: Option<Arc<dyn Notifier>>,
}

impl StorageHost {
    /// A host on `storage`; it refuses commands and drops notices.
    pub fn new(storage: &Storage, environment: Environment) -> Self {
        let (events, snapshots) = (Arc::clone(&storage.events), Arc::clone(&storage.snapshots));
        Self { events, snapshots, environment, dispatcher: None, notifier: None }
    }

    /// With who executes commands.
    #[must_use]
    pub fn with_dispatcher(mut self, dispatcher: Arc<dyn Dispatcher>) -> Self {
        self.dispatcher = Some(dispatcher);
        self
    }

    /// With who tells notices.
    #[must_use]
    pub fn with_notifier(mut self, notifier: Arc<dyn Notifier>) -> Self {
        self.notifier = Some(notifier);
        self
    }

    fn with_id(&self, event: PendingEvent, metadata: &RawMetadata) -> NewEvent {
        NewEvent {
            id: EventId::from_uuid(self.environment.new_id()),
            event_type: event.event_type.into(),
            schema_version: event.schema_version,
            payload: event.payload,
            metadata: metadata.clone(),
        }
    }

    async fn change_timers(&self, timers: TimerChanges) -> Result<(), AppendError> {
        self.events.append(Append { timers, ..Append::default() }).await.map(drop)
    }
}

#[async_trait]
impl EffectHost for StorageHost {
    async fn append(&self, request: AppendEvents) -> Result<Appended, AppendError> {
        let metadata = request.metadata.encode();
        let events = request.events.map_err(StoreError::InvalidRequest)?;
        let events = events.into_iter().map(|event| self.with_id(event, &metadata)).collect();
        self.events.append(Append::to(request.stream, request.expected, events)).await
    }

    async fn load(&self, request: LoadEvents) -> Result<Vec<RecordedEvent>, StoreError> {
        let events = self.events.load_events(&request.stream, request.after);
        events.take(request.limit).try_collect().await
    }

    async fn save_snapshot(&self, request: SaveSnapshot) -> Result<(), StoreError> {
        let snapshot = request.snapshot.map_err(StoreError::InvalidRequest)?;
        self.snapshots.save_snapshot(&request.stream, snapshot).await
    }

    async fn load_snapshot(&self, request: LoadSnapshot) -> Result<Option<Snapshot>, StoreError> {
        self.snapshots.load_snapshot(&request.stream).await
    }

    async fn notify(&self, notice: Notice) {
        match (&notice.payload, &self.notifier) {
            (Err(error), _) => tracing::error!(topic = notice.topic, %error, "a notice has no JSON form"),
            (Ok(_), Some(notifier)) => notifier.notify(notice).await,
            (Ok(_), None) => tracing::debug!(topic = notice.topic, "nobody tells notices"),
        }
    }

    async fn dispatch(&self, request: DispatchCommand) -> Result<Dispatched, DispatchError> {
        let Some(dispatcher) = &self.dispatcher else {
            let what =
                format!("nobody executes commands of {:?}; give the host a dispatcher", request.category);
            return Err(DispatchError::Failed(StoreError::InvalidRequest(what).into()));
        };
        dispatcher.dispatch(request).await
    }

    async fn schedule_timer(&self, request: ScheduleTimer) -> Result<(), AppendError> {
        let timer = NewTimer {
            id: request.id,
            token: self.environment.new_id(),
            queue: request.queue,
            stream: request.stream,
            due: request.due,
            payload: request.payload.to_string().into(),
        };
        self.change_timers(TimerChanges { schedule: vec![timer], ..TimerChanges::default() }).await
    }

    async fn cancel_timer(&self, request: CancelTimer) -> Result<(), AppendError> {
        self.change_timers(TimerChanges { cancel: vec![request.id], ..TimerChanges::default() }).await
    }
}
