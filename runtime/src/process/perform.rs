//! How one piece of work of a process is done: a command dispatched, an activity called, a timer heard.

use super::Worker;
use super::activities::attempt;
use super::instances::Due;
use super::letter;
use super::record::InputRecord;
use super::step_run::Cause;
use super::subscriber::handle_error;
use super::work::Work;
use crate::application::Dispatched;
use crate::command::{Failure, Invocation, RequestContext};
use composable_rust_core::port::{
    Append, AppendError, NewDeadLetter, NewTimer, Timer, TimerChanges, TimerClaim,
};
use composable_rust_core::{
    ActivityContext, ActivityError, CommandId, EventId, EventMetadata, Position, Process, ProcessEffect,
    ProcessId, ProcessInput, StreamId, StreamVersion, describe, elapsed, panic_text,
};
use composable_rust_projections::HandleError;
use futures_util::FutureExt;
use serde_json::Value;
use std::panic::AssertUnwindSafe;

/// A piece of work at hand.
pub(super) struct Task {
    pub(super) timer: Timer,
    /// Whether its timer is pending, and consumed by acting on it; that of a dead letter is not.
    is_pending: bool,
}

/// How one attempt ended.
pub(super) enum Ended {
    Done,
    /// It could not be done now.
    Later(Failure),
    /// It can never be done as it is.
    Never(Failure),
}

impl Task {
    pub(super) const fn due(timer: Timer) -> Self {
        Self { timer, is_pending: true }
    }

    /// The stream whose later commands wait for this one: commands of one instance are dispatched one after the other,
    /// in the order in which the process named them; activities may take long, and timers must not wait for them.
    pub(super) fn orders(&self) -> Option<StreamId> {
        #[derive(serde::Deserialize)]
        struct Peek<'a> {
            #[serde(borrow)]
            effect: Kind<'a>,
        }
        #[derive(serde::Deserialize)]
        struct Kind<'a> {
            #[serde(rename = "do")]
            kind: &'a str,
        }
        let peek: Option<Peek<'_>> = serde_json::from_slice(&self.timer.timer.payload).ok();
        let dispatches = peek.is_some_and(|peek| peek.effect.kind == "dispatch");
        dispatches.then(|| self.timer.timer.stream.clone())
    }

    pub(super) const fn timer_claim(&self) -> TimerClaim {
        TimerClaim { id: self.timer.timer.id, token: self.timer.timer.token }
    }

    fn claim(&self) -> Option<TimerClaim> {
        self.is_pending.then(|| self.timer_claim())
    }
}

impl<P: Process> Worker<P> {
    /// One attempt; a panic of the user's code is a failure like another.
    pub(super) async fn attempt(&self, task: &Task) -> Ended {
        let attempt = async {
            match serde_json::from_slice::<Work>(&task.timer.timer.payload) {
                Ok(work) => self.perform(task, work).await,
                Err(error) => never(format!("stored work cannot be read: {error}")),
            }
        };
        let ended = AssertUnwindSafe(attempt).catch_unwind().await;
        ended.unwrap_or_else(|panic| never(format!("it panicked: {}", panic_text(&*panic))))
    }

    /// Does what a dead letter holds. A command or a timer is acted upon here, so that what waits behind it comes after
    /// it; an activity, which may take long, is handed back to the worker.
    pub(super) async fn redo(&self, letter: &NewDeadLetter) -> Result<(), HandleError> {
        let poison = |source| HandleError::Poison { position: Position::ZERO, source };
        let task =
            Task { timer: letter::decode(letter).map_err(|error| poison(error.into()))?, is_pending: false };
        let work: Result<Work, _> = serde_json::from_slice(&task.timer.timer.payload);
        if matches!(work, Ok(Work { effect: ProcessEffect::Call { .. }, .. })) {
            return self.hand_back(task.timer.timer).await;
        }
        match self.attempt(&task).await {
            // A crash while it was parked may have left its timer.
            Ended::Done => Ok(self.deps.storage.timers.remove(task.timer_claim()).await.map(drop)?),
            Ended::Later(failure) | Ended::Never(failure) => Err(handle_error(failure, Position::ZERO)),
        }
    }

    /// Sets a timer again, due at once, under the token that it had.
    async fn hand_back(&self, timer: NewTimer) -> Result<(), HandleError> {
        let timer = NewTimer { due: self.deps.environment.now(), ..timer };
        let timers = TimerChanges { schedule: vec![timer], ..TimerChanges::default() };
        match self.executor.store.append(Append { timers, ..Append::default() }).await {
            Ok(_) => Ok(()),
            Err(AppendError::Store(error)) => Err(error.into()),
            Err(other) => Err(HandleError::Poison { position: Position::ZERO, source: other.into() }),
        }
    }

    async fn perform(&self, task: &Task, work: Work) -> Ended {
        let Work { effect, origin } = work;
        let metadata = origin.metadata();
        self.count(task, &effect);
        match &effect {
            ProcessEffect::Dispatch { category, key, command } => {
                let token = task.timer.timer.token.to_string();
                let request = RequestContext {
                    correlation_id: origin.correlation,
                    causation_id: metadata.causation_id,
                    user_id: origin.user,
                    trace_parent: origin.trace.clone(),
                    ..RequestContext::with_id(CommandId::derived(&["dispatch", &token]))
                };
                let invocation = Invocation { request, claim: task.claim(), looks_up: false };
                self.dispatch(task, &metadata, (category, key, command), invocation).await
            }
            ProcessEffect::Call { activity, call } => self.call(task, &metadata, activity, call).await,
            ProcessEffect::Schedule { timer: content, .. } => {
                let record = InputRecord::Timer { timer: content.clone() };
                let decoded = serde_json::from_value(content.clone()).map(P::Input::from_timer);
                self.hear(task, &metadata, decoded.map(Some), record).await
            }
            ProcessEffect::Cancel { .. } => never("a cancellation is no work".to_owned()),
        }
    }

    /// What was taken up, and how late a timer is.
    fn count(&self, task: &Task, effect: &ProcessEffect) {
        let kind = match effect {
            ProcessEffect::Dispatch { .. } => "command",
            ProcessEffect::Call { .. } => "activity",
            ProcessEffect::Schedule { .. } => "timer",
            ProcessEffect::Cancel { .. } => "cancellation",
        };
        metrics::counter!("effects_executed_total", "process" => P::NAME, "kind" => kind).increment(1);
        if kind == "timer" {
            let late = elapsed(task.timer.timer.due, self.deps.environment.now());
            metrics::histogram!("timer_lag_seconds", "process" => P::NAME).record(late.as_secs_f64());
        }
    }

    async fn dispatch(
        &self,
        task: &Task,
        metadata: &EventMetadata,
        (category, key, command): (&str, &str, &Value),
        invocation: Invocation,
    ) -> Ended {
        let Some(target) = self.registry.by_category(category) else {
            return never(format!("nobody decides commands of category {category:?}"));
        };
        match target.dispatch(&self.executor, key, command, &invocation).await {
            Ok(Dispatched::Done { .. }) | Err(Failure::TimerGone) => Ended::Done,
            Ok(Dispatched::Rejected(rejection)) => {
                let input = P::Input::from_rejection(category, &rejection);
                let (work, category) = (task.timer.timer.id, category.to_owned());
                self.hear(task, metadata, input, InputRecord::Rejected { work, category, rejection }).await
            }
            Err(failure) => sort(failure),
        }
    }

    async fn call(&self, task: &Task, metadata: &EventMetadata, name: &str, call: &Value) -> Ended {
        let Some(activity) = self.activities.get(name) else {
            return never(format!("there is no activity {name:?}"));
        };
        let policy = activity.policy();
        let number = task.timer.attempts.saturating_add(1);
        let key = task.timer.timer.token.to_string();
        let context = ActivityContext { idempotency_key: key, attempt: number };
        let outcome = match attempt(activity, call.clone(), context, &self.deps.environment).await {
            Ok(outcome) => Ok(outcome),
            Err(ActivityError::Transient(cause)) if number < policy.max_attempts => {
                tracing::info!(activity = name, attempt = number, %cause, "activity postponed");
                let pause = policy.first_pause.saturating_mul(1 << task.timer.attempts.min(16));
                // Should this fail, the timer is still due.
                _ = self.postpone(task, self.jittered(pause.min(policy.longest_pause))).await;
                return Ended::Done;
            }
            Err(error) => activity.give_up(call, &error),
        };
        match outcome {
            Ok(outcome) => {
                let input = P::Input::from_outcome(name, &outcome);
                let (work, activity) = (task.timer.timer.id, name.to_owned());
                self.hear(task, metadata, input, InputRecord::Outcome { work, activity, outcome }).await
            }
            Err(error) => never(describe(&error)),
        }
    }

    /// Takes the step to which an answer or a timer leads, and thereby consumes the timer.
    async fn hear(
        &self,
        task: &Task,
        metadata: &EventMetadata,
        input: Result<Option<P::Input>, serde_json::Error>,
        record: InputRecord,
    ) -> Ended {
        let input = match input {
            Ok(Some(input)) => input,
            Ok(None) => return never("the process does not hear this answer".to_owned()),
            Err(error) => return never(error.to_string()),
        };
        let token = task.timer.timer.token;
        let cause = Cause {
            id: EventId::from_uuid(token),
            position: Position::ZERO,
            version: StreamVersion::ZERO,
            recorded_at: None,
            metadata: metadata.clone(),
        };
        let id = ProcessId::of(&task.timer.timer.stream.key());
        let due = Due { token, claim: task.claim() };
        match self.instances.step(id, (input, record), cause, Some(due)).await {
            Ok(false) => Ended::Done,
            // It was taken before, so that the timer was set again for nothing.
            Ok(true) => match self.deps.storage.timers.remove(task.timer_claim()).await {
                Ok(_) => Ended::Done,
                Err(error) => sort(Failure::Store(error)),
            },
            Err(failure) => sort(failure),
        }
    }
}

const fn never(reason: String) -> Ended {
    Ended::Never(Failure::Invalid(reason))
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
        | Failure::TooLarge(_)
        | Failure::Defect(_)
        | Failure::Decode(_)
        | Failure::Encode(_) => Ended::Never(failure),
    }
}
