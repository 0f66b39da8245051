//! The shared face of a running subscription: its progress, its signal, and ways to nudge it.

use super::{Parking, Progress, SubscriptionState};
use composable_rust_core::{Clock, Position, Signal, elapsed};
use jiff::Timestamp;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Watches one subscription from anywhere; cheap to clone. Made before [`run`](super::run) and handed to it.
#[derive(Debug, Clone)]
pub struct Monitor {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    name: String,
    clock: Arc<dyn Clock>,
    log: Signal,
    checkpoint: Signal,
    status: Mutex<Status>,
    changed: event_listener::Event,
    nudge: Notify,
    parking: Parking,
    given: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Status {
    state: SubscriptionState,
    started_at: Position,
    horizon: Position,
    behind_since: Option<Timestamp>,
    /// When whoever holds the lease was last seen to work, or to have nothing to do.
    attended_at: Timestamp,
    handled: u64,
    window_start: Timestamp,
    window_handled: u64,
    events_per_second: f64,
    last_error: Option<String>,
    resume: bool,
    halted: bool,
}

impl Monitor {
    /// A monitor for the subscription `name`, which follows the log that `log` announces.
    pub fn new(name: impl Into<String>, clock: Arc<dyn Clock>, log: Signal) -> Self {
        Self::counting(name.into(), clock, log, Arc::default())
    }

    /// A monitor that adds 1 to `given` whenever its subscriber may have changed what it writes: when it has taken in
    /// events, and at each start, since another may have worked meanwhile. Counted before the position is announced.
    pub(crate) fn counting(name: String, clock: Arc<dyn Clock>, log: Signal, given: Arc<AtomicU64>) -> Self {
        let status = Status {
            state: SubscriptionState::Waiting,
            started_at: Position::ZERO,
            horizon: Position::ZERO,
            behind_since: None,
            attended_at: clock.now(),
            handled: 0,
            window_start: clock.now(),
            window_handled: 0,
            events_per_second: 0.0,
            last_error: None,
            resume: false,
            halted: false,
        };
        let inner = Inner {
            name,
            clock,
            log,
            checkpoint: Signal::default(),
            status: Mutex::new(status),
            changed: event_listener::Event::new(),
            nudge: Notify::new(),
            parking: Parking::default(),
            given,
        };
        Self { inner: Arc::new(inner) }
    }

    /// The subscription's name.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Announces every position that is done, also those at which there was nothing to do.
    pub fn signal(&self) -> &Signal {
        &self.inner.checkpoint
    }

    /// How far the subscription has come now.
    pub fn progress(&self) -> Progress {
        let position = self.inner.checkpoint.position();
        let now = self.inner.clock.now();
        let status = self.status();
        let horizon = status.horizon.max(self.inner.log.position()).max(position);
        let is_unattended = status.state == SubscriptionState::Waiting && position < horizon;
        Progress {
            name: self.inner.name.clone(),
            state: status.state,
            position,
            horizon,
            started_at: status.started_at,
            lag: status.behind_since.map_or(Duration::ZERO, |since| elapsed(since, now)),
            unattended: if is_unattended { elapsed(status.attended_at, now) } else { Duration::ZERO },
            handled: status.handled,
            events_per_second: status.events_per_second,
            parked_streams: self.inner.parking.len(),
            last_error: status.last_error.clone(),
        }
    }

    /// Completes when the state is one for which `wanted` holds.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn state_is(&self, wanted: impl Fn(SubscriptionState) -> bool + Send) {
        loop {
            let changed = self.inner.changed.listen();
            if wanted(self.status().state) {
                return;
            }
            changed.await;
        }
    }

    /// Makes the subscription look at once for new events and for parked ones to be retried.
    pub fn nudge(&self) {
        self.inner.nudge.notify_one();
    }

    /// The streams that wait behind a dead letter.
    pub fn parking(&self) -> &Parking {
        &self.inner.parking
    }

    /// Shows that the subscription stands still for `error`, which was found beside it: whoever says so also ends it.
    pub fn halt(&self, error: String) {
        let mut status = self.status();
        (status.state, status.last_error, status.halted) = (SubscriptionState::Stopped, Some(error), true);
        drop(status);
        self.touch();
    }

    /// What it is doing now.
    pub(crate) fn state(&self) -> SubscriptionState {
        self.status().state
    }

    /// The subscriber may have changed what it writes.
    pub(super) fn gave(&self) {
        self.inner.given.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) async fn nudged(&self) {
        self.inner.nudge.notified().await;
    }

    /// Completes at the next change of state or attempt at a parked event.
    pub(super) fn changed(&self) -> event_listener::EventListener {
        self.inner.changed.listen()
    }

    pub(super) fn touch(&self) {
        self.inner.changed.notify(usize::MAX);
    }

    pub(super) fn set_state(&self, state: SubscriptionState) {
        let now = self.inner.clock.now();
        let mut status = self.status();
        if status.state != state && !status.halted {
            (status.state, status.attended_at) = (state, now);
            drop(status);
            self.touch();
        }
    }

    /// What another instance has saved, seen while waiting for the lease.
    pub(super) fn saw_checkpoint(&self, position: Position) {
        let now = self.inner.clock.now();
        if position > self.inner.checkpoint.position() || position >= self.inner.log.position() {
            self.status().attended_at = now;
        }
        self.inner.checkpoint.advance(position);
    }

    pub(super) fn started(&self, position: Position) {
        let mut status = self.status();
        status.started_at = position;
        status.behind_since = None;
        drop(status);
        self.gave();
        self.inner.checkpoint.advance(position);
        self.set_state(SubscriptionState::CatchingUp);
    }

    /// A page was read; its first event, if any, is the oldest one that is not handled.
    pub(super) fn read(&self, horizon: Position, oldest: Option<Timestamp>) {
        let mut status = self.status();
        status.horizon = status.horizon.max(horizon);
        status.behind_since = oldest;
    }

    pub(super) fn handled(&self, events: usize, read_to: Position) {
        let now = self.inner.clock.now();
        let mut status = self.status();
        status.behind_since = None;
        status.count(events as u64, now);
        drop(status);
        self.inner.checkpoint.advance(read_to);
    }

    /// Asks whoever supervises the subscription to run it again, if it stopped with an error.
    pub(crate) fn ask_to_resume(&self) {
        let mut status = self.status();
        status.resume = status.state == SubscriptionState::Stopped;
    }

    pub(crate) fn is_to_resume(&self) -> bool {
        self.status().resume
    }

    /// The task ended; without having said so, it panicked or was dropped.
    pub(crate) fn end_abruptly(&self) {
        let mut status = self.status();
        match status.state {
            SubscriptionState::Stopped | SubscriptionState::Ended => return,
            SubscriptionState::Waiting | SubscriptionState::CatchingUp | SubscriptionState::Live => {}
        }
        status.state = SubscriptionState::Stopped;
        status.last_error = Some("its task ended abruptly (a panic, which is in the log)".to_owned());
        drop(status);
        self.touch();
    }

    pub(super) fn failed(&self, error: Option<String>) {
        let mut status = self.status();
        if !status.halted {
            status.last_error = error;
        }
    }

    fn status(&self) -> MutexGuard<'_, Status> {
        self.inner.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Status {
    /// Counts handled events in windows of at least a second; one after a pause starts a new window.
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    fn count(&mut self, events: u64, now: Timestamp) {
        self.handled += events;
        let passed = elapsed(self.window_start, now);
        if passed > Duration::from_secs(10) {
            (self.window_start, self.window_handled) = (now, 0);
        }
        self.window_handled += events;
        if passed >= Duration::from_millis(20) {
            self.events_per_second = self.window_handled as f64 / passed.as_secs_f64();
        }
        if passed >= Duration::from_secs(1) {
            (self.window_start, self.window_handled) = (now, 0);
        }
    }
}
