//! The inside of a store: reducing under the lock, handing effects to workers after it.

use super::interpreter::{Budget, Interpreter, Sink};
use super::lane::{Bells, Calls, Job, Lane, Next, Pool, Turn};
use super::observer::Watching;
use super::request::Asked;
use super::{Observer, SendError, StoreOptions, StoreReducer, StoreStats};
use composable_rust_core::effect::EffectHost;
use composable_rust_core::panic_text;
use composable_rust_core::{Effect, Effects, Environment, Reducer};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;

pub(super) struct Shared<R: Reducer> {
    reducer: R,
    environment: R::Environment,
    pub(super) options: StoreOptions,
    inner: Mutex<Inner<R>>,
    interpreter: Interpreter,
    bells: Bells,
    /// Rung after each reduction while somebody watches.
    pub(super) changed: Notify,
    pub(super) watchers: Arc<AtomicUsize>,
    /// Rung when the queue has room again while somebody waits for it.
    space: Notify,
    waiting_for_space: Arc<AtomicUsize>,
    /// Rung when nothing runs any more while shutting down.
    pub(super) drained: Notify,
    observers: Arc<AtomicUsize>,
    panics: AtomicU64,
    given_up: AtomicU64,
    /// Ends what waits.
    end_waits: CancellationToken,
    /// Ends what works.
    end_work: CancellationToken,
}

struct Inner<R: Reducer> {
    state: R::State,
    work: Lane<R::Action>,
    waits: Lane<R::Action>,
    phase: Phase,
    actions: u64,
    broadcast: Option<broadcast::Sender<R::Action>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// Callers are refused, waits are not begun.
    Draining,
    /// Nobody holds the store: what was asked for finishes, nothing further begins.
    Dropped,
    /// Nothing is taken or begun.
    Closed,
}

/// Who sends an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A caller: refused when the store is full or closing.
    Caller,
    /// An effect: its result is always taken.
    Effect,
}

/// An action that was not reduced.
pub(super) struct Refused<A> {
    pub(super) reason: SendError,
    pub(super) action: A,
}

/// What follows from a reduction once the lock is released.
struct Aftermath<A> {
    work: Calls,
    waits: Calls,
    left: Left<A>,
}

/// Effects that are not run. Dropped outside the lock: what drops with an effect may use the store.
struct Left<A> {
    /// What a closing store does not begin.
    given_up: Vec<Job<A>>,
    /// Throttled.
    held_back: Vec<Effect<A>>,
}

impl<R: StoreReducer> Shared<R> {
    pub(super) fn new(
        state: R::State,
        reducer: R,
        environment: R::Environment,
        host: Arc<dyn EffectHost>,
        options: StoreOptions,
    ) -> Self {
        let ambient: &Environment = environment.as_ref();
        let interpreter = Interpreter::new(Arc::clone(&ambient.clock), host);
        let broadcast = Some(broadcast::Sender::new(options.observer_buffer.max(1)));
        let (work, waits) = (Lane::new(), Lane::new());
        let inner = Inner { state, work, waits, phase: Phase::Open, actions: 0, broadcast };
        Self {
            reducer,
            environment,
            options,
            inner: Mutex::new(inner),
            interpreter,
            bells: Bells::default(),
            changed: Notify::new(),
            watchers: Arc::default(),
            space: Notify::new(),
            waiting_for_space: Arc::default(),
            drained: Notify::new(),
            observers: Arc::default(),
            panics: AtomicU64::new(0),
            given_up: AtomicU64::new(0),
            end_waits: CancellationToken::new(),
            end_work: CancellationToken::new(),
        }
    }

    pub(super) fn ambient(&self) -> &Environment {
        self.environment.as_ref()
    }

    pub(super) fn read<T>(&self, read: impl FnOnce(&R::State) -> T) -> T {
        read(&self.lock().state)
    }

    /// Reduces `action` in the caller's turn and hands its effects on.
    pub(super) fn reduce(
        self: &Arc<Self>,
        action: R::Action,
        lineage: Asked<'_, R::Action>,
        origin: Origin,
    ) -> Result<(), Refused<R::Action>> {
        // A request is not its own answer.
        let asked = lineage.filter(|_| origin == Origin::Effect);
        let answer = asked.and_then(|request| request.answer_in(&action));
        let seen = (self.observers.load(Ordering::SeqCst) > 0).then(|| action.clone());

        // Declared before the lock's guard, so that it acts after that one is gone.
        let mut breaking = Breaking { shared: self, armed: false };
        let mut inner = match self.admit(origin) {
            Ok(inner) => inner,
            Err(reason) => return Err(Refused { reason, action }),
        };
        inner.actions += 1;
        breaking.armed = true;
        let effects = self.reducer.reduce(&mut inner.state, action, &self.environment);
        // Under the lock, so that observers see the order in which the state changed.
        if let (Some(action), Some(broadcast)) = (seen, &inner.broadcast) {
            // Nobody listening any more is no failure.
            drop(broadcast.send(action));
        }
        let aftermath = (!effects.is_empty()).then(|| self.queue(&mut inner, effects, lineage));
        drop(inner);
        breaking.armed = false;

        if self.watchers.load(Ordering::SeqCst) > 0 {
            self.changed.notify_waiters();
        }
        if let Some(aftermath) = aftermath {
            self.follow_up(aftermath);
        }
        if let (Some(action), Some(request)) = (answer, asked) {
            request.answer(action);
        }
        Ok(())
    }

    fn admit(&self, origin: Origin) -> Result<MutexGuard<'_, Inner<R>>, SendError> {
        let inner = self.inner.lock().map_err(|_| SendError::Broken)?;
        if inner.phase == Phase::Closed {
            return Err(SendError::Closed);
        }
        if origin == Origin::Caller {
            if inner.phase != Phase::Open {
                return Err(SendError::Closed);
            }
            if !inner.has_room(&self.options) {
                return Err(SendError::Overloaded);
            }
        }
        Ok(inner)
    }

    fn queue(
        &self,
        inner: &mut Inner<R>,
        effects: Effects<R::Action>,
        lineage: Asked<'_, R::Action>,
    ) -> Aftermath<R::Action> {
        let mut left = Left { given_up: Vec::new(), held_back: Vec::new() };
        let (work_before, waits_before) = (inner.work.queue.len(), inner.waits.queue.len());
        for effect in effects {
            self.queue_one(inner, effect, lineage, &mut left);
        }
        let (work, waits) = (inner.work.queue.len() - work_before, inner.waits.queue.len() - waits_before);
        Aftermath {
            work: inner.work.calls_for(work, self.options.max_running_effects),
            waits: inner.waits.calls_for(waits, self.options.max_waiting_effects),
            left,
        }
    }

    fn queue_one(
        &self,
        inner: &mut Inner<R>,
        effect: Effect<R::Action>,
        lineage: Asked<'_, R::Action>,
        left: &mut Left<R::Action>,
    ) {
        if let Effect::Parallel(effects) = effect {
            for effect in effects {
                self.queue_one(inner, effect, lineage, left);
            }
            return;
        }
        let kind = effect.kind();
        let plan = match self.interpreter.plan(effect) {
            Ok(plan) => plan,
            Err(held_back) => return left.held_back.extend(held_back),
        };
        let waits = plan.0.waits();
        let job = Job { plan, kind, lineage: lineage.cloned() };
        match (waits, inner.phase) {
            (false, Phase::Open | Phase::Draining) => inner.work.queue.push_back(job),
            (true, Phase::Open) => inner.waits.queue.push_back(job),
            (true, Phase::Draining) | (_, Phase::Dropped | Phase::Closed) => left.given_up.push(job),
        }
    }

    fn follow_up(self: &Arc<Self>, aftermath: Aftermath<R::Action>) {
        let Aftermath { work, waits, left } = aftermath;
        for (pool, calls) in [(Pool::Work, work), (Pool::Waits, waits)] {
            for _ in 0..calls.wake {
                self.bells.of(pool).notify_one();
            }
            for _ in 0..calls.start {
                let worker = Arc::clone(self).work(pool);
                self.ambient().spawner.spawn("store effects", Box::pin(worker));
            }
        }
        self.count_given_up(left.given_up.len());
    }

    /// A worker: runs jobs of one pool until there is nothing left for it.
    async fn work(self: Arc<Self>, pool: Pool) {
        let mut turn = Turn::Started;
        let mut budget = Budget::default();
        loop {
            let job = {
                let mut bell = pin!(self.bells.of(pool).notified());
                // Listening before looking, so that no call falls between.
                bell.as_mut().enable();
                match self.next(pool, turn) {
                    Next::Run(job) => job,
                    Next::End => return,
                    Next::Sleep => {
                        bell.await;
                        turn = Turn::Slept;
                        continue;
                    }
                }
            };
            // Holding the next job, so that a chain of effects does not go on in another worker meanwhile.
            budget.spend().await;
            self.run(pool, job).await;
            turn = Turn::Ran;
        }
    }

    fn next(&self, pool: Pool, turn: Turn) -> Next<R::Action> {
        let mut inner = self.lock();
        let keep = if inner.phase == Phase::Open { self.options.max_idle_workers } else { 0 };
        let lane = match pool {
            Pool::Work => &mut inner.work,
            Pool::Waits => &mut inner.waits,
        };
        let next = lane.next(turn, keep);
        let drained = inner.phase != Phase::Open && inner.is_empty();
        drop(inner);
        if drained {
            self.drained.notify_waiters();
        }
        if self.waiting_for_space.load(Ordering::SeqCst) > 0 {
            self.space.notify_waiters();
        }
        next
    }

    async fn run(self: &Arc<Self>, pool: Pool, job: Job<R::Action>) {
        let Job { plan, kind, lineage } = job;
        let sink = Feed { shared: self, lineage: lineage.as_ref() };
        let end = match pool {
            Pool::Work => &self.end_work,
            Pool::Waits => &self.end_waits,
        };
        tokio::select! {
            biased;
            () = end.cancelled() => self.count_given_up(1),
            result = AssertUnwindSafe(self.interpreter.run(plan, &sink)).catch_unwind() => {
                if let Err(panic) = result {
                    self.panics.fetch_add(1, Ordering::SeqCst);
                    tracing::error!(effect = %kind, panic = panic_text(panic.as_ref()), "an effect panicked");
                }
            }
        }
    }

    fn count_given_up(&self, count: usize) {
        self.given_up.fetch_add(count as u64, Ordering::SeqCst);
    }

    /// Refuses callers and ends what waits; what works goes on.
    pub(super) fn close_intake(&self) {
        let mut inner = self.lock();
        if inner.phase != Phase::Open {
            return;
        }
        inner.phase = Phase::Draining;
        let waiting = std::mem::take(&mut inner.waits.queue);
        drop(inner);
        self.count_given_up(waiting.len());
        drop(waiting);
        self.end_waits.cancel();
        self.bells.of(Pool::Work).notify_waiters();
        self.bells.of(Pool::Waits).notify_waiters();
        self.space.notify_waiters();
    }

    /// As [`Self::close_intake`], when nobody holds the store any more: what was asked for finishes, and what comes back
    /// begins nothing further, or an effect that asks for itself again would never end.
    pub(super) fn abandon(&self) {
        self.close_intake();
        let mut inner = self.lock();
        if inner.phase == Phase::Draining {
            inner.phase = Phase::Dropped;
        }
    }

    /// A reducer panicked: nothing is reduced any more, so nothing that runs has a use.
    fn break_down(&self) {
        self.close_intake();
        let effects = self.close();
        self.bells.of(Pool::Work).notify_waiters();
        self.bells.of(Pool::Waits).notify_waiters();
        tracing::error!(effects, "a reducer panicked; its store is broken, and its effects are cancelled");
    }

    /// Ends everything that is still under way, and says how much that was.
    pub(super) fn close(&self) -> usize {
        let mut inner = self.lock();
        inner.phase = Phase::Closed;
        inner.broadcast = None;
        let queued = std::mem::take(&mut inner.work.queue);
        let left = queued.len() + inner.work.running + inner.waits.running;
        drop(inner);
        drop(queued);
        self.end_work.cancel();
        left
    }

    pub(super) fn is_drained(&self) -> bool {
        self.lock().is_empty()
    }

    pub(super) fn has_room(&self) -> bool {
        let inner = self.lock();
        inner.has_room(&self.options) || inner.phase != Phase::Open
    }

    /// Completes when the queue has room, or when the store closes.
    pub(super) async fn room(&self) {
        let _waiting = Watching::new(&self.waiting_for_space);
        loop {
            let mut space = pin!(self.space.notified());
            space.as_mut().enable();
            if self.has_room() {
                return;
            }
            space.await;
        }
    }

    pub(super) fn observe(&self) -> Option<Observer<R::Action>> {
        let receiver = self.lock().broadcast.as_ref()?.subscribe();
        Some(Observer::new(receiver, &self.observers))
    }

    pub(super) fn stats(&self) -> StoreStats {
        let inner = self.lock();
        StoreStats {
            actions: inner.actions,
            running: inner.work.running + inner.waits.running,
            queued: inner.work.queue.len() + inner.waits.queue.len(),
            panics: self.panics.load(Ordering::SeqCst),
            given_up: self.given_up.load(Ordering::SeqCst),
        }
    }

    /// For everything that must go on although a reducer panicked; reducing does not.
    fn lock(&self) -> MutexGuard<'_, Inner<R>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Reducer> Inner<R> {
    fn has_room(&self, options: &StoreOptions) -> bool {
        self.work.queue.len() + self.waits.queue.len() < options.max_queued_effects
    }

    fn is_empty(&self) -> bool {
        self.work.is_empty() && self.waits.is_empty()
    }
}

/// Where the actions of one job go.
struct Feed<'a, R: Reducer> {
    shared: &'a Arc<Shared<R>>,
    lineage: Asked<'a, R::Action>,
}

impl<R: StoreReducer> Sink<R::Action> for Feed<'_, R> {
    fn feed(&self, action: R::Action) {
        if let Err(refused) = self.shared.reduce(action, self.lineage, Origin::Effect) {
            // Whatever closed the store has told so, and how much was given up.
            tracing::debug!(reason = %refused.reason, "the result of an effect was lost");
        }
    }

    fn is_closed(&self) -> bool {
        self.shared.end_work.is_cancelled()
    }

    fn has_room(&self) -> bool {
        self.shared.has_room()
    }

    fn room(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.shared.room())
    }
}

/// Ends the store with the reduction in whose turn it is dropped armed: only a panic does that.
struct Breaking<'a, R: StoreReducer> {
    shared: &'a Shared<R>,
    armed: bool,
}

impl<R: StoreReducer> Drop for Breaking<'_, R> {
    fn drop(&mut self) {
        if self.armed {
            self.shared.break_down();
        }
    }
}
