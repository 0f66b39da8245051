//! Following the log under a lease: read, hand over, go on.

use super::{
    Batch, HandleError, Monitor, Subscriber, SubscriptionError, SubscriptionOptions, SubscriptionState,
};
use crate::Dependencies;
use composable_rust_core::port::{LogPage, LogQuery, StoreError};
use composable_rust_core::{Position, RecordedEvent, elapsed};
use futures_util::join;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

/// How following ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// It was told to.
    Shutdown,
    /// The lease is another's.
    Fenced,
    /// It cannot go on.
    Failed(SubscriptionError),
}

/// One holder's turn.
pub(super) struct Follow<'a> {
    pub(super) subscriber: &'a mut dyn Subscriber,
    pub(super) deps: &'a Dependencies,
    pub(super) options: &'a SubscriptionOptions,
    pub(super) monitor: &'a Monitor,
    pub(super) shutdown: &'a CancellationToken,
    pub(super) fence: u64,
    categories: Option<Vec<String>>,
    /// Everything up to here is done.
    pub(super) position: Position,
    /// The checkpoint saved, which may be behind where only foreign events passed, or the subscriber saves few.
    pub(super) saved: Position,
    saved_at: Timestamp,
    /// When the dead letters were last looked at; `None` when that is due.
    pub(super) parked_checked_at: Option<Timestamp>,
    /// The event that fails at present.
    pub(super) failing: Option<Failing>,
}

/// An event that could not be handled so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failing {
    pub(super) position: Position,
    pub(super) attempts: u32,
    pub(super) since: Timestamp,
}

impl<'a> Follow<'a> {
    pub(super) fn new(
        subscriber: &'a mut dyn Subscriber,
        deps: &'a Dependencies,
        options: &'a SubscriptionOptions,
        monitor: &'a Monitor,
        shutdown: &'a CancellationToken,
    ) -> Self {
        let categories = subscriber.categories();
        Self {
            subscriber,
            deps,
            options,
            monitor,
            shutdown,
            fence: 0,
            categories,
            position: Position::ZERO,
            saved: Position::ZERO,
            saved_at: deps.environment.now(),
            parked_checked_at: None,
            failing: None,
        }
    }

    /// Under the lease with this fence.
    pub(super) fn under(mut self, fence: u64) -> Self {
        self.fence = fence;
        self
    }

    /// Follows until something ends it.
    pub(super) async fn run(&mut self) -> Ended {
        match self.follow().await {
            Ok(never) => match never {},
            Err(ended) => ended,
        }
    }

    async fn follow(&mut self) -> Result<std::convert::Infallible, Ended> {
        self.start().await?;
        let mut ahead = None;
        loop {
            if self.shutdown.is_cancelled() {
                return Err(self.finish().await);
            }
            self.retry_parked().await?;
            let announced = self.deps.storage.events.signal().position();
            let (page, fresh) = match ahead.take() {
                Some(page) => (page, false),
                None => (self.read().await?, true),
            };
            let more = page.read_to < page.horizon;
            ahead = self.take_in(page, more).await?;
            // A page read ahead may be older than the signal: look again before waiting.
            if fresh && !more {
                self.monitor.set_state(SubscriptionState::Live);
                self.idle(announced).await;
            }
        }
    }

    /// Takes over from the last holder: fence, checkpoint, parked streams.
    async fn start(&mut self) -> Result<(), Ended> {
        let mut failures = 0;
        loop {
            match self.load().await {
                Ok(position) => {
                    self.recovered(failures);
                    (self.position, self.saved) = (position, position);
                    self.monitor.started(position);
                    return Ok(());
                }
                Err(error) => {
                    failures += 1;
                    self.back_off(error, failures).await?;
                }
            }
        }
    }

    async fn load(&mut self) -> Result<Position, HandleError> {
        let position = self.subscriber.take_over(self.fence).await?;
        self.load_parked().await?;
        Ok(position)
    }

    async fn read(&mut self) -> Result<LogPage, Ended> {
        let mut failures = 0;
        loop {
            match self.page_after(self.position).await {
                Ok(page) => {
                    self.recovered(failures);
                    return Ok(page);
                }
                Err(error) => {
                    failures += 1;
                    self.back_off(error.into(), failures).await?;
                }
            }
        }
    }

    async fn page_after(&self, after: Position) -> Result<LogPage, StoreError> {
        read_page(self.deps, self.options, self.categories.as_deref(), after).await
    }

    /// Handles a page; answers the next one if it was read meanwhile.
    async fn take_in(&mut self, page: LogPage, more: bool) -> Result<Option<LogPage>, Ended> {
        let LogPage { events, read_to, horizon } = page;
        self.monitor.read(horizon, events.first().map(|event| event.recorded_at));
        if read_to <= self.position && (self.saved >= self.position || !self.checkpoint_is_due()) {
            return Ok(None);
        }
        let read_to = read_to.max(self.position);
        let foreign = events.is_empty();
        let events = self.set_aside(events).await?;
        // Parked events need the checkpoint at once: a retry must never find them ahead of it.
        if foreign && !self.checkpoint_is_due() {
            self.position = read_to;
            self.monitor.handled(0, read_to);
            return Ok(None);
        }
        let ahead = self.hand_over(events, read_to, more).await?;
        if self.saved < self.position && (self.checkpoint_is_due() || !self.monitor.parking().is_empty()) {
            self.hand_over(Vec::new(), self.position, false).await?;
        }
        Ok(ahead)
    }

    /// What failed so often has succeeded: nothing is wrong any more.
    fn recovered(&self, failures: u32) {
        if failures > 0 {
            self.monitor.failed(None);
        }
    }

    fn checkpoint_is_due(&self) -> bool {
        elapsed(self.saved_at, self.deps.environment.now()) >= self.options.lazy_checkpoint
    }

    /// Hands a batch over until it is handled, reading the next page beside the first attempt when there is more.
    async fn hand_over(
        &mut self,
        mut events: Vec<RecordedEvent>,
        read_to: Position,
        more: bool,
    ) -> Result<Option<LogPage>, Ended> {
        let mut ahead = None;
        let mut failures = 0;
        loop {
            let batch = Batch { events: &events, read_to, fence: self.fence };
            let result = if more && ahead.is_none() {
                let next = read_page(self.deps, self.options, self.categories.as_deref(), read_to);
                let (next, result) = join!(next, self.subscriber.handle(batch));
                ahead = next.ok();
                result
            } else {
                self.subscriber.handle(batch).await
            };
            let Err(error) = result else { break };
            failures += 1;
            events = self.after_failure(error, events, failures).await?;
        }
        self.recovered(failures);
        self.position = read_to;
        if events.is_empty() || self.subscriber.saves_every_batch() {
            self.mark_saved(read_to);
        }
        // What failed may have been written even so.
        if !events.is_empty() || failures > 0 {
            self.monitor.gave();
        }
        self.monitor.handled(events.len(), read_to);
        Ok(ahead)
    }

    fn mark_saved(&mut self, position: Position) {
        self.saved = position;
        self.saved_at = self.deps.environment.now();
    }

    /// What of the batch is to be handed over again.
    async fn after_failure(
        &mut self,
        error: HandleError,
        events: Vec<RecordedEvent>,
        failures: u32,
    ) -> Result<Vec<RecordedEvent>, Ended> {
        match error {
            HandleError::Poison { position, source } => self.poisoned(position, source, events).await,
            error @ (HandleError::Transient(_) | HandleError::Fenced | HandleError::Fatal(_)) => {
                self.back_off(error, failures).await?;
                Ok(events)
            }
        }
    }

    /// Saves a checkpoint that was kept lazily; best effort, since losing it only repeats foreign events.
    async fn finish(&mut self) -> Ended {
        if self.saved < self.position {
            let batch = Batch { events: &[], read_to: self.position, fence: self.fence };
            if let Err(error) = self.subscriber.handle(batch).await {
                tracing::debug!(subscription = self.monitor.name(), error = &error as &dyn std::error::Error);
            }
        }
        Ended::Shutdown
    }
}

/// A page of the log; apart from [`Follow`], so that it can be read while the subscriber is at work.
async fn read_page(
    deps: &Dependencies,
    options: &SubscriptionOptions,
    categories: Option<&[String]>,
    after: Position,
) -> Result<LogPage, StoreError> {
    deps.storage
        .events
        .read_log(LogQuery { after, limit: options.batch_size, max_bytes: options.batch_bytes, categories })
        .await
}
