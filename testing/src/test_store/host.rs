//! Requests that wait until the test gives their outcome.

use async_trait::async_trait;
use composable_rust_core::RecordedEvent;
use composable_rust_core::effect::{
    AppendEvents, CancelTimer, DispatchCommand, DispatchError, Dispatched, EffectHost, HostRequest,
    LoadEvents, LoadSnapshot, Notice, SaveSnapshot, ScheduleTimer,
};
use composable_rust_core::port::{AppendError, Appended, Snapshot, StoreError};

use std::collections::VecDeque;
use std::future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// The requests of a [`TestStore`](super::TestStore) that wait for their outcome.
#[derive(Debug, Default)]
pub struct Answers {
    append: Queue<AppendEvents>,
    load: Queue<LoadEvents>,
    save_snapshot: Queue<SaveSnapshot>,
    load_snapshot: Queue<LoadSnapshot>,
    dispatch: Queue<DispatchCommand>,
    schedule_timer: Queue<ScheduleTimer>,
    cancel_timer: Queue<CancelTimer>,
}

/// A request that a test can answer.
pub trait Answerable: HostRequest {
    /// Those that wait.
    #[doc(hidden)]
    fn queue(answers: &Answers) -> &Queue<Self>;
}

/// Waiting requests of one kind, oldest first.
#[doc(hidden)]
#[derive(Debug)]
pub struct Queue<Q: HostRequest>(Mutex<VecDeque<(Q, oneshot::Sender<Q::Outcome>)>>);

impl Answers {
    /// Gives the oldest waiting request its outcome; `false` when there is none.
    pub(super) fn answer<Q: Answerable>(&self, outcome: impl FnOnce(&Q) -> Q::Outcome) -> bool {
        let Some((request, sender)) = Q::queue(self).next() else { return false };
        // A request that was cancelled meanwhile is skipped by `next`.
        sender.send(outcome(&request)).is_ok()
    }
}

impl<Q: HostRequest> Queue<Q> {
    fn next(&self) -> Option<(Q, oneshot::Sender<Q::Outcome>)> {
        let mut waiting = self.lock();
        loop {
            let (request, sender) = waiting.pop_front()?;
            if !sender.is_closed() {
                return Some((request, sender));
            }
        }
    }

    /// Waits for the outcome; without the test's answer it waits for ever.
    async fn outcome(&self, request: Q) -> Q::Outcome {
        let (sender, receiver) = oneshot::channel();
        self.lock().push_back((request, sender));
        match receiver.await {
            Ok(outcome) => outcome,
            Err(_) => future::pending().await,
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Q, oneshot::Sender<Q::Outcome>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Q: HostRequest> Default for Queue<Q> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// Names the queue of each kind of request.
macro_rules! answerable {
    ($($request:ty: $queue:ident),* $(,)?) => {
        $(impl Answerable for $request {
            fn queue(answers: &Answers) -> &Queue<Self> {
                &answers.$queue
            }
        })*
    };
}

answerable! {
    AppendEvents: append,
    LoadEvents: load,
    SaveSnapshot: save_snapshot,
    LoadSnapshot: load_snapshot,
    DispatchCommand: dispatch,
    ScheduleTimer: schedule_timer,
    CancelTimer: cancel_timer,
}

#[async_trait]
impl EffectHost for Answers {
    async fn append(&self, request: AppendEvents) -> Result<Appended, AppendError> {
        self.append.outcome(request).await
    }

    async fn load(&self, request: LoadEvents) -> Result<Vec<RecordedEvent>, StoreError> {
        self.load.outcome(request).await
    }

    async fn save_snapshot(&self, request: SaveSnapshot) -> Result<(), StoreError> {
        self.save_snapshot.outcome(request).await
    }

    async fn load_snapshot(&self, request: LoadSnapshot) -> Result<Option<Snapshot>, StoreError> {
        self.load_snapshot.outcome(request).await
    }

    async fn notify(&self, _: Notice) {}

    async fn dispatch(&self, request: DispatchCommand) -> Result<Dispatched, DispatchError> {
        self.dispatch.outcome(request).await
    }

    async fn schedule_timer(&self, request: ScheduleTimer) -> Result<(), AppendError> {
        self.schedule_timer.outcome(request).await
    }

    async fn cancel_timer(&self, request: CancelTimer) -> Result<(), AppendError> {
        self.cancel_timer.outcome(request).await
    }
}
