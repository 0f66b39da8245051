//! Takes up the work that the steps of a process left, as it becomes due. How it is done is in `perform.rs`.
//!
//! One instance of the application works at a time (a lease), but nothing rests on that: whoever acts on a timer
//! claims it in the same append, so a second worker finds it gone.

use super::activities::Activities;
use super::instances::Instances;
use super::letter;
use super::perform::{Ended, Task};
use super::under_way::UnderWay;
use super::{ProcessOptions, work_name};
use crate::application::Registry;
use crate::command::{Executor, Failure};
use composable_rust_core::port::{NewDeadLetter, Skip, StoreError, Timer};
use composable_rust_core::{DeadLetterId, Process, StreamId, TimerId, describe, elapsed, error_chain, later};
use composable_rust_projections::{
    Dependencies, FailurePolicy, Leasing, Monitor, SubscriptionOptions, SubscriptionState,
};
use futures_util::future::FutureExt;
use jiff::Timestamp;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Works for process `P`.
pub(crate) struct Worker<P: Process> {
    pub(crate) instances: Arc<Instances<P>>,
    pub(crate) executor: Arc<Executor>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) activities: Arc<Activities>,
    pub(crate) deps: Dependencies,
    pub(crate) options: ProcessOptions,
    /// Of the process's subscription: the work is leased and its dead letters are looked at as it says.
    pub(crate) subscription: SubscriptionOptions,
    /// That of the process's subscription: which instances wait, and whether the process stands still.
    pub(crate) monitor: Monitor,
    /// Ends subscription and worker.
    pub(crate) halt: CancellationToken,
}

impl<P: Process> fmt::Debug for Worker<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("process", &P::NAME).finish_non_exhaustive()
    }
}

impl<P: Process> Worker<P> {
    /// Works until told to halt; work under way is finished then.
    pub(crate) async fn run(self: Arc<Self>) {
        let _end = End(&self.halt, &self.monitor);
        let leasing = Leasing::new(work_name(P::NAME), &self.subscription);
        while let Some(lease) = leasing.acquire(&self.deps, &self.halt).await {
            tokio::select! {
                biased;
                () = self.work() => {}
                () = leasing.keep(&self.deps, &lease) => {}
            }
            leasing.release(&self.deps, &lease).await;
        }
    }

    async fn work(&self) {
        let mut under_way = UnderWay::default();
        let mut checked_at = None;
        loop {
            let (stepped, freed) = (self.instances.stepped(), self.monitor.parking().changed());
            let wait = match self.take_up(&mut under_way, &mut checked_at).await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::warn!(
                        process = P::NAME,
                        error = &error as &dyn std::error::Error,
                        "timers not read"
                    );
                    self.options.first_pause.max(self.options.longest_pause / 10)
                }
            };
            tokio::select! {
                biased;
                () = self.halt.cancelled() => break,
                () = under_way.some_done() => {}
                () = stepped => {}
                () = freed => {}
                () = self.deps.environment.clock.sleep(wait) => {}
            }
        }
        under_way.all_done().await;
    }

    /// Starts what is due, and says how long to wait for the next.
    async fn take_up<'w>(
        &'w self,
        under_way: &mut UnderWay<'w>,
        checked_at: &mut Option<Timestamp>,
    ) -> Result<Duration, StoreError> {
        loop {
            let free = self.options.concurrent_work.saturating_sub(under_way.len());
            if free == 0 {
                return Ok(self.options.poll_interval);
            }
            let (timers, streams) = under_way.to_skip();
            let (due, wait) = under_way.beside(self.due((timers, streams), free, checked_at)).await?;
            let is_full = due.len() >= free;
            let mut waiting = false;
            for timer in due {
                let task = Task::due(timer);
                let (id, orders) = (task.timer.timer.id, task.orders());
                if under_way.is_free(orders.as_ref()) {
                    let done = self.act(task).map(move |()| id);
                    under_way.add(id, orders, done.boxed());
                } else {
                    waiting = true;
                }
            }
            // Many commands of one instance must not hide the work of all others.
            under_way.is_crowded = is_full && waiting;
            if !under_way.is_crowded {
                return Ok(wait);
            }
        }
    }

    /// What is due, but for what is `busy`, and how long to wait for the next.
    async fn due(
        &self,
        (busy, mut streams): (Vec<TimerId>, Vec<StreamId>),
        limit: usize,
        checked_at: &mut Option<Timestamp>,
    ) -> Result<(Vec<Timer>, Duration), StoreError> {
        self.look_at_parked(checked_at).await?;
        let now = self.deps.environment.now();
        streams.extend(self.monitor.parking().streams());
        let timers = &self.deps.storage.timers;
        let due = timers.due(P::NAME, now, Skip { timers: &busy, streams: &streams }, limit).await?;
        let next = timers.next_due(P::NAME, now).await.unwrap_or_else(|error| {
            // What is due must not wait for what is next.
            tracing::warn!(
                process = P::NAME,
                error = &error as &dyn std::error::Error,
                "next timer not found"
            );
            None
        });
        let wait = next.map_or(self.options.poll_interval, |next| elapsed(now, next));
        Ok((due, wait.min(self.options.poll_interval)))
    }

    /// Learns which instances wait; later on the subscription does so, if it runs here.
    async fn look_at_parked(&self, checked_at: &mut Option<Timestamp>) -> Result<(), StoreError> {
        let now = self.deps.environment.now();
        if let Some(at) = *checked_at {
            if elapsed(at, now) < self.subscription.parked_check {
                return Ok(());
            }
            match self.monitor.progress().state {
                SubscriptionState::CatchingUp | SubscriptionState::Live => return Ok(()),
                SubscriptionState::Waiting | SubscriptionState::Stopped | SubscriptionState::Ended => {}
            }
        }
        self.monitor.parking().load(&*self.deps.storage.dead_letters, self.monitor.name()).await?;
        *checked_at = Some(now);
        Ok(())
    }

    /// Does a piece of work, or puts it aside.
    async fn act(&self, task: Task) {
        let mut failures = task.timer.attempts;
        loop {
            failures = failures.saturating_add(1);
            let failure = match self.attempt(&task).await {
                Ended::Done => return,
                Ended::Later(failure) => failure,
                // Other code wrote what this cannot read, such as a newer deployment, and does the work.
                Ended::Never(failure) if failure.is_foreign() => return self.stand_still(&task, &failure),
                Ended::Never(failure) => match self.options.failure_policy {
                    FailurePolicy::Stop => return self.stand_still(&task, &failure),
                    FailurePolicy::Park { after } if failures >= after => {
                        match self.bury(&task, &failure, failures).await {
                            Ok(()) => return,
                            // The timer is still there: nothing is lost.
                            Err(error) => Failure::Store(error),
                        }
                    }
                    FailurePolicy::Park { .. } => failure,
                },
            };
            let stream = &task.timer.timer.stream;
            let error = describe(&failure);
            tracing::warn!(process = P::NAME, %stream, error, failures, "work failed, to be tried again");
            let pause = self.options.first_pause.saturating_mul(1 << failures.saturating_sub(1).min(16));
            let pause = self.jittered(pause.min(self.options.longest_pause));
            if task.orders().is_none() {
                // Should this fail, the timer is still due.
                _ = self.postpone(&task, pause).await;
                return;
            }
            // A command waits here, and thereby keeps the later ones of its instance waiting.
            tokio::select! {
                biased;
                () = self.halt.cancelled() => return,
                () = self.deps.environment.clock.sleep(pause) => {}
            }
        }
    }

    pub(super) fn jittered(&self, pause: Duration) -> Duration {
        pause.mul_f64(0.5 + self.deps.environment.random.next_f64() / 2.0)
    }

    pub(super) async fn postpone(&self, task: &Task, pause: Duration) -> Result<(), StoreError> {
        let due = later(self.deps.environment.now(), pause);
        let postponed = self.deps.storage.timers.postpone(task.timer_claim(), due).await;
        if let Err(error) = &postponed {
            tracing::warn!(process = P::NAME, error = error as &dyn std::error::Error, "work not postponed");
        }
        postponed.map(drop)
    }

    /// Everything stays as it is, and the progress of the process says why.
    fn stand_still(&self, task: &Task, failure: &Failure) {
        let stream = &task.timer.timer.stream;
        let error = describe(failure);
        tracing::error!(process = P::NAME, %stream, error, "stopped at work that cannot be done");
        self.monitor.halt(format!("{} stopped: work of {stream} cannot be done: {error}", P::NAME));
        self.halt.cancel();
    }

    /// Puts work that can never be done among the dead letters; the timer goes only after that.
    async fn bury(&self, task: &Task, failure: &Failure, attempts: u32) -> Result<(), StoreError> {
        let timer = &task.timer.timer;
        tracing::error!(process = P::NAME, stream = %timer.stream, error = describe(failure), "work parked");
        let environment = &self.deps.environment;
        let now = environment.now();
        let letter = NewDeadLetter {
            id: DeadLetterId::from_uuid(environment.new_id()),
            subscription: self.monitor.name().to_owned(),
            stream: timer.stream.clone(),
            position: None,
            event_type: "work".to_owned(),
            payload: letter::encode(timer)?,
            error_chain: error_chain(failure),
            attempts,
            first_failed_at: now,
            last_failed_at: now,
        };
        self.monitor.parking().park(&*self.deps.storage.dead_letters, letter).await?;
        self.deps.storage.timers.remove(task.timer_claim()).await.map(drop)
    }
}

/// Shows that the worker's task panicked.
struct End<'a>(&'a CancellationToken, &'a Monitor);

impl Drop for End<'_> {
    fn drop(&mut self) {
        if !self.0.is_cancelled() {
            self.1.halt("the task of its worker ended abruptly (a panic, which is in the log)".to_owned());
            self.0.cancel();
        }
    }
}
