//! Does what the steps of a process want done: commands, activities, timers that are due.
//!
//! One instance of the application works at a time (a lease), but nothing rests on that: whoever acts on a timer
//! claims it in the same append, so a second worker finds it gone.

use super::activities::Activities;
use super::instances::Instances;
use super::record::InputRecord;
use super::step_run::Cause;
use super::work::Work;
use super::{ProcessOptions, work_name};
use crate::application::{Dispatched, Registry};
use crate::command::{Executor, Failure, Invocation, RequestContext};
use composable_rust_core::port::{NewDeadLetter, StoreError, Timer, TimerClaim};
use composable_rust_core::{
    ActivityContext, ActivityError, CommandId, DeadLetterId, EventId, Position, Process, ProcessEffect,
    ProcessId, ProcessInput, StreamId, StreamVersion, TimerId, elapsed, later,
};
use composable_rust_projections::{Dependencies, Leasing};
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Works for process `P`.
pub(crate) struct Worker<P: Process> {
    pub(crate) instances: Arc<Instances<P>>,
    pub(crate) executor: Arc<Executor>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) activities: Arc<Activities>,
    pub(crate) deps: Dependencies,
    pub(crate) options: ProcessOptions,
}

/// How one piece of work ended.
enum Ended {
    Done,
    /// It could not be done now.
    Later(Failure),
    /// It can never be done as it is.
    Never(Failure),
}

impl<P: Process> Worker<P> {
    /// Works until `shutdown`; work under way is finished then.
    pub(crate) async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        let leasing = Leasing {
            work: work_name(P::NAME),
            ttl: std::time::Duration::from_secs(5),
            retry: std::time::Duration::from_secs(1),
        };
        while let Some(lease) = leasing.acquire(&self.deps, &shutdown).await {
            tokio::select! {
                biased;
                () = self.work(&shutdown) => {}
                () = leasing.keep(&self.deps, &lease) => {}
            }
            leasing.release(&self.deps, &lease).await;
        }
    }

    async fn work(&self, shutdown: &CancellationToken) {
        let mut running = FuturesUnordered::<BoxFuture<'_, TimerId>>::new();
        let mut busy = BTreeMap::<TimerId, Option<StreamId>>::new();
        loop {
            let stepped = self.instances.stepped();
            let wait = match self.take_up(&mut running, &mut busy).await {
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
                () = shutdown.cancelled() => break,
                Some(done) = running.next() => { busy.remove(&done); }
                () = stepped => {}
                () = self.deps.environment.clock.sleep(wait) => {}
            }
            while let Some(Some(done)) = futures_util::FutureExt::now_or_never(running.next()) {
                busy.remove(&done);
            }
        }
        while running.next().await.is_some() {}
    }

    /// Starts what is due, and says how long to wait for the next.
    async fn take_up<'w>(
        &'w self,
        running: &mut FuturesUnordered<BoxFuture<'w, TimerId>>,
        busy: &mut BTreeMap<TimerId, Option<StreamId>>,
    ) -> Result<std::time::Duration, StoreError> {
        let free = self.options.concurrent_work.saturating_sub(running.len());
        if free == 0 {
            return Ok(self.options.poll_interval);
        }
        let now = self.deps.environment.now();
        let skip: Vec<TimerId> = busy.keys().copied().collect();
        let timers = &self.deps.storage.timers;
        let due = timers.due(P::NAME, now, &skip, free).await?;
        for timer in due {
            let orders = ordered_by(&timer);
            if orders.is_some() && busy.values().any(|stream| *stream == orders) {
                continue;
            }
            let id = timer.timer.id;
            busy.insert(id, orders);
            running.push(Box::pin(async move {
                self.act(timer).await;
                id
            }));
        }
        let next = timers.next_due(P::NAME, now).await?;
        let until = next.map_or(self.options.poll_interval, |next| elapsed(now, next));
        Ok(until.min(self.options.poll_interval))
    }

    async fn act(&self, timer: Timer) {
        let ended = match serde_json::from_slice::<Work>(&timer.timer.payload) {
            Ok(work) => self.perform(&timer, work).await,
            Err(error) => Ended::Never(Failure::Invalid(format!("stored work cannot be read: {error}"))),
        };
        let kept = match ended {
            Ended::Done => Ok(()),
            Ended::Later(failure) => self.postpone(&timer, &failure).await,
            Ended::Never(failure) => self.bury(&timer, &failure).await,
        };
        if let Err(error) = kept {
            // The timer is still there and due: it is taken up again.
            tracing::warn!(process = P::NAME, error = &error as &dyn std::error::Error, "work not put aside");
        }
    }

    async fn perform(&self, timer: &Timer, work: Work) -> Ended {
        let Work { effect, origin } = work;
        match &effect {
            ProcessEffect::Dispatch { category, key, command } => {
                let request = RequestContext {
                    correlation_id: origin.correlation,
                    causation_id: origin.metadata().causation_id,
                    user_id: origin.user,
                    trace_parent: origin.trace.clone(),
                    ..RequestContext::with_id(CommandId::derived(&[
                        "dispatch",
                        &timer.timer.token.to_string(),
                    ]))
                };
                let invocation = Invocation { request, claim: Some(claim(timer)), looks_up: false };
                self.dispatch(timer, &origin.metadata(), (category, key, command), invocation).await
            }
            ProcessEffect::Call { activity, call } => {
                self.call(timer, &origin.metadata(), activity, call).await
            }
            ProcessEffect::Schedule { timer: content, .. } => {
                let record = InputRecord::Timer { timer: content.clone() };
                let decoded = serde_json::from_value(content.clone()).map(P::Input::from_timer);
                self.hear(timer, &origin.metadata(), decoded.map(Some), record).await
            }
            ProcessEffect::Cancel { .. } => {
                Ended::Never(Failure::Invalid("a cancellation is no work".into()))
            }
        }
    }

    async fn dispatch(
        &self,
        timer: &Timer,
        metadata: &composable_rust_core::EventMetadata,
        (category, key, command): (&str, &str, &Value),
        invocation: Invocation,
    ) -> Ended {
        let Some(target) = self.registry.by_category(category) else {
            return Ended::Never(Failure::Invalid(format!(
                "nobody decides commands of category {category:?}"
            )));
        };
        match target.dispatch(&self.executor, key, command, &invocation).await {
            Ok(Dispatched::Done { .. }) | Err(Failure::TimerGone) => Ended::Done,
            Ok(Dispatched::Rejected(rejection)) => {
                let input = P::Input::from_rejection(category, &rejection);
                let category = category.to_owned();
                let record = InputRecord::Rejected { work: timer.timer.id, category, rejection };
                self.hear(timer, metadata, input, record).await
            }
            Err(failure) => sort(failure),
        }
    }

    async fn call(
        &self,
        timer: &Timer,
        metadata: &composable_rust_core::EventMetadata,
        name: &str,
        call: &Value,
    ) -> Ended {
        let Some(activity) = self.activities.get(name) else {
            return Ended::Never(Failure::Invalid(format!("there is no activity {name:?}")));
        };
        let attempt = timer.attempts.saturating_add(1);
        let context = ActivityContext { idempotency_key: timer.timer.token.to_string(), attempt };
        let answer = activity.perform(call, context, &*self.deps.environment.clock).await;
        let outcome = match answer {
            Ok(outcome) => Ok(outcome),
            Err(ActivityError::Transient(cause)) if attempt < activity.policy().max_attempts => {
                tracing::info!(activity = name, attempt, %cause, "activity postponed");
                return self.postpone_activity(timer, &activity.policy()).await;
            }
            Err(error) => activity.give_up(call, &error),
        };
        match outcome {
            Ok(outcome) => {
                let input = P::Input::from_outcome(name, &outcome);
                let record =
                    InputRecord::Outcome { work: timer.timer.id, activity: name.to_owned(), outcome };
                self.hear(timer, metadata, input, record).await
            }
            Err(error) => Ended::Never(Failure::Invalid(format!("{error:?}"))),
        }
    }

    /// Takes the step to which an answer or a timer leads, and thereby consumes the timer.
    async fn hear(
        &self,
        timer: &Timer,
        metadata: &composable_rust_core::EventMetadata,
        input: Result<Option<P::Input>, serde_json::Error>,
        record: InputRecord,
    ) -> Ended {
        let input = match input {
            Ok(Some(input)) => input,
            Ok(None) => {
                return Ended::Never(Failure::Invalid("the process does not hear this answer".into()));
            }
            Err(error) => return Ended::Never(Failure::Invalid(error.to_string())),
        };
        let cause = Cause {
            id: EventId::from_uuid(timer.timer.token),
            position: Position::ZERO,
            version: StreamVersion::ZERO,
            recorded_at: None,
            metadata: metadata.clone(),
        };
        let id = ProcessId::of(&timer.timer.stream.key());
        match self.instances.step(id, (input, record), cause, Some(claim(timer))).await {
            Ok(()) => Ended::Done,
            Err(failure) => sort(failure),
        }
    }

    async fn postpone_activity(&self, timer: &Timer, policy: &composable_rust_core::ActivityPolicy) -> Ended {
        let pause = policy.first_pause.saturating_mul(1 << timer.attempts.min(16)).min(policy.longest_pause);
        self.postpone_by(timer, pause).await
    }

    async fn postpone(&self, timer: &Timer, failure: &Failure) -> Result<(), StoreError> {
        tracing::warn!(process = P::NAME, stream = %timer.timer.stream, ?failure, "work postponed");
        let pause = self.options.first_pause.saturating_mul(1 << timer.attempts.min(16));
        match self.postpone_by(timer, pause.min(self.options.longest_pause)).await {
            Ended::Later(Failure::Store(error)) | Ended::Never(Failure::Store(error)) => Err(error),
            Ended::Done | Ended::Later(_) | Ended::Never(_) => Ok(()),
        }
    }

    async fn postpone_by(&self, timer: &Timer, pause: std::time::Duration) -> Ended {
        let environment = &self.deps.environment;
        let jittered = pause.mul_f64(0.5 + environment.random.next_f64() / 2.0);
        match self.deps.storage.timers.postpone(claim(timer), later(environment.now(), jittered)).await {
            Ok(_) => Ended::Done,
            Err(error) => Ended::Later(Failure::Store(error)),
        }
    }

    /// Puts work that can never be done among the dead letters; the timer goes only after that.
    async fn bury(&self, timer: &Timer, failure: &Failure) -> Result<(), StoreError> {
        tracing::error!(process = P::NAME, stream = %timer.timer.stream, ?failure, "work parked");
        let environment = &self.deps.environment;
        let now = environment.now();
        let letter = NewDeadLetter {
            id: DeadLetterId::from_uuid(environment.new_id()),
            subscription: work_name(P::NAME),
            stream: timer.timer.stream.clone(),
            position: None,
            event_type: "work".to_owned(),
            payload: super::retry::encode(&timer.timer)?,
            error_chain: vec![format!("{failure:?}")],
            attempts: timer.attempts.saturating_add(1),
            first_failed_at: now,
            last_failed_at: now,
        };
        self.deps.storage.dead_letters.add(letter).await?;
        self.deps.storage.timers.remove(claim(timer)).await.map(drop)
    }
}

/// Commands of one instance are dispatched one after the other, in the order in which the process named them;
/// activities may take long, and timers must not wait for them.
fn ordered_by(timer: &Timer) -> Option<StreamId> {
    #[derive(serde::Deserialize)]
    struct Peek<'a> {
        #[serde(borrow)]
        effect: &'a RawValue,
    }
    let peek: Option<Peek<'_>> = serde_json::from_slice(&timer.timer.payload).ok();
    let dispatches = peek.is_some_and(|peek| peek.effect.get().contains(r#""do":"dispatch""#));
    dispatches.then(|| timer.timer.stream.clone())
}

const fn claim(timer: &Timer) -> TimerClaim {
    TimerClaim { id: timer.timer.id, token: timer.timer.token }
}

fn sort(failure: Failure) -> Ended {
    match failure {
        Failure::TimerGone => Ended::Done,
        Failure::Overloaded => Ended::Later(failure),
        Failure::Store(ref error) if error.is_transient() => Ended::Later(failure),
        Failure::Store(_)
        | Failure::Rejected(_)
        | Failure::Version { .. }
        | Failure::KeyReused
        | Failure::Invalid(_)
        | Failure::Decode(_)
        | Failure::Encode(_) => Ended::Never(failure),
    }
}
