//! Carries out commands: load, decide, append at that version; on a conflict load and decide again, bounded and
//! jittered.
//!
//! Decisions are pipelined: the state moves on as soon as the append is queued, so a rush on one stream is limited by
//! flushes and not by round trips. A reply, also a refusal, is given only after everything that it rests on is durable.

use super::chain::Chain;
use super::committer::{Committed, CommitterOptions, GroupCommitter};
use super::earlier::{Earlier, EarlierParts};
use super::error::Failure;
use super::identity::{key_of, same};
use super::limits::{self, OverLimit};
use super::participant::{Deciding, Participant, Undecided};
use super::request::Invocation;
use composable_rust_core::port::{
    Append, AppendError, Appended, CommandKey, CommandRecord, EventStore, StoreError,
};
use composable_rust_core::{CommandId, Context, Environment, StreamId, elapsed};
use futures_util::future::try_join_all;
use smallvec::SmallVec;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// Limits of command handling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandOptions {
    /// How often a command is decided before contention is answered `overloaded`. Default 12.
    pub max_attempts: u32,
    /// Longest pause before the second attempt; doubles with each further one. Default 2 ms.
    pub first_pause: Duration,
    /// Longest pause. Default 100 ms.
    pub longest_pause: Duration,
    /// Most events that one command may append, over all its aggregates; more is [`OverLimit::Events`]. Default
    /// 1,000.
    pub max_events: usize,
    /// Most bytes of payloads and metadata that one command may append; more is [`OverLimit::Bytes`]. Default
    /// 4 MiB; one payload is at most [`MAX_PAYLOAD_BYTES`](composable_rust_core::port::MAX_PAYLOAD_BYTES) (1 MiB) in any
    /// case.
    pub max_bytes: usize,
    /// Most aggregates of one decider whose state is kept in memory. Default 10,000.
    pub cached_aggregates: usize,
    /// The group committer.
    pub committer: CommitterOptions,
}

impl Default for CommandOptions {
    fn default() -> Self {
        Self {
            max_attempts: 12,
            first_pause: Duration::from_millis(2),
            longest_pause: Duration::from_millis(100),
            max_events: 1_000,
            max_bytes: 4 * 1024 * 1024,
            cached_aggregates: 10_000,
            committer: CommitterOptions::default(),
        }
    }
}

/// How a command ended well.
#[derive(Debug)]
pub(crate) enum Done {
    /// It was decided now.
    Written(Appended),
    /// It had been decided before.
    Replayed(Box<CommandRecord>),
}

/// Carries out commands over any participants.
#[derive(Debug)]
pub(crate) struct Executor {
    pub(crate) store: Arc<dyn EventStore>,
    pub(crate) environment: Environment,
    pub(crate) committer: GroupCommitter,
    pub(crate) options: CommandOptions,
}

enum Attempt {
    Done(Done),
    Again,
    Refused(Failure),
}

type Chains = SmallVec<[Arc<Chain>; 2]>;
type Parts<'p, 'a> = &'p mut [&'a mut dyn Participant];

impl Executor {
    /// Carries out one command over `parts`, all or nothing.
    pub(crate) async fn execute(
        &self,
        parts: Parts<'_, '_>,
        invocation: &Invocation,
    ) -> Result<Done, Failure> {
        let started = self.environment.now();
        let result = self.carry_out(parts, invocation).await;
        let reducer = parts.first().map(|part| part.stream().category().to_owned()).unwrap_or_default();
        let took = elapsed(started, self.environment.now());
        let labels = [("reducer", reducer), ("outcome", outcome(&result).to_owned())];
        metrics::counter!("reducer_executions_total", &labels).increment(1);
        metrics::histogram!("reducer_duration_seconds", &labels).record(took.as_secs_f64());
        result
    }

    async fn carry_out(&self, parts: Parts<'_, '_>, invocation: &Invocation) -> Result<Done, Failure> {
        let order = lock_order(parts)?;
        let key = key_of(invocation, parts);
        let key = key.as_ref();
        if invocation.looks_up
            && !invocation.request.looked_up
            && let Some(done) = self.first_result(key).await?
        {
            return Ok(done);
        }
        let command_id = key.map_or_else(|| CommandId::from_uuid(self.environment.new_id()), |key| key.id);
        for attempt in 0..self.options.max_attempts {
            match self.attempt(parts, &order, (invocation, key), command_id).await? {
                Attempt::Done(done) => return Ok(done),
                Attempt::Again => self.pause(attempt).await,
                Attempt::Refused(refusal) => return self.refuse(refusal, invocation, key).await,
            }
        }
        Err(Failure::Overloaded)
    }

    async fn first_result(&self, key: Option<&CommandKey>) -> Result<Option<Done>, Failure> {
        let Some(key) = key else { return Ok(None) };
        let record = self.store.find_command(key.id).await?;
        record.map(|record| same(record, Some(key)).map(Done::Replayed)).transpose()
    }

    /// A refusal may rest on what the same command has just done, given twice at the same time; then its first result
    /// is the answer.
    async fn refuse(
        &self,
        refusal: Failure,
        invocation: &Invocation,
        key: Option<&CommandKey>,
    ) -> Result<Done, Failure> {
        let first = if invocation.looks_up { self.first_result(key).await? } else { None };
        first.ok_or(refusal)
    }

    async fn attempt(
        &self,
        parts: Parts<'_, '_>,
        order: &[usize],
        (invocation, key): (&Invocation, Option<&CommandKey>),
        command_id: CommandId,
    ) -> Result<Attempt, Failure> {
        if parts.len() > 1 {
            // Nobody should wait for a hot stream's lock while the states of cold ones are loaded under it.
            try_join_all(parts.iter_mut().map(|part| part.warm())).await?;
        }
        for &index in order {
            if let Err(failure) = parts[index].enter().await {
                leave(parts);
                return Err(failure);
            }
        }
        let decided = self.decide(parts, (invocation, key), command_id);
        let submitted = self.submit(parts, decided);
        leave(parts);
        let (receiver, refused) = submitted?;
        let answer = receiver.await.unwrap_or_else(|_| {
            let lost = "the application stopped while the append was under way";
            Err(StoreError::unavailable("append", lost).into())
        });
        match (answer, refused) {
            (Ok(_), Some(refusal)) => Ok(Attempt::Refused(refusal)),
            (Ok(appended), None) => Ok(Attempt::Done(Done::Written(appended))),
            (Err(error), _) => not_appended(error, key),
        }
    }

    fn decide(
        &self,
        parts: Parts<'_, '_>,
        (invocation, key): (&Invocation, Option<&CommandKey>),
        command_id: CommandId,
    ) -> Result<Append, Failure> {
        let metadata = invocation.request.metadata(command_id).encode();
        let context = Context::new(self.environment.now(), command_id);
        let mut append = Append { command: key.cloned(), ..Append::default() };
        append.timers.claim.extend(invocation.claim);
        for index in 0..parts.len() {
            let (before, rest) = parts.split_at_mut(index);
            let Some(part) = rest.first_mut() else { continue };
            let context = context.clone().of_part(u32::try_from(index).unwrap_or(u32::MAX));
            let before = Before(before);
            let earlier = Earlier(&before);
            let deciding = Deciding { context, environment: &self.environment, metadata: &metadata, earlier };
            let decided = catch_unwind(AssertUnwindSafe(|| part.decide(&deciding)))
                .map_err(|panic| Failure::panicked(part.function(), &*panic))?;
            let decided = decided.map_err(|undecided| match undecided {
                Undecided::Refused => Failure::Rejected(index),
                Undecided::Failed(failure) => failure,
            })?;
            append.streams.push(decided.append);
            // After each part, so that a set of many gathers no more than that.
            self.check_size(&append)?;
            append.timers.cancel.extend(decided.cancel);
            append.timers.schedule.extend(decided.schedule);
        }
        Ok(append)
    }

    fn check_size(&self, append: &Append) -> Result<(), Failure> {
        limits::check(append, self.options.max_events, self.options.max_bytes).map_err(Failure::TooLarge)
    }

    /// Queues what was decided; or, of a refusal, the check that the states which it rests on are the newest.
    fn submit(
        &self,
        parts: Parts<'_, '_>,
        decided: Result<Append, Failure>,
    ) -> Result<(oneshot::Receiver<Committed>, Option<Failure>), Failure> {
        let chains: Chains = parts.iter().filter_map(|part| part.chain().cloned()).collect();
        if self.committer.is_full() {
            return Err(Failure::Overloaded);
        }
        match decided {
            Ok(append) => {
                // First evolve, then queue: what the user's code cannot evolve by must never be in the log.
                advance(parts)?;
                Ok((self.committer.submit(append, chains), None))
            }
            Err(refusal @ (Failure::Rejected(_) | Failure::Version { .. } | Failure::TooLarge(_))) => {
                let streams = parts.iter().filter_map(|part| part.check()).collect();
                let check = Append { streams, ..Append::default() };
                Ok((self.committer.submit(check, chains), Some(refusal)))
            }
            Err(failure) => Err(failure),
        }
    }

    async fn pause(&self, attempt: u32) {
        let longest =
            self.options.first_pause.saturating_mul(1 << attempt.min(16)).min(self.options.longest_pause);
        self.environment.clock.sleep(longest.mul_f64(self.environment.random.next_f64())).await;
    }
}

/// The parts that have decided.
struct Before<'x, 'a>(&'x [&'a mut dyn Participant]);

impl EarlierParts for Before<'_, '_> {
    fn part(&self, index: usize) -> Option<(&StreamId, &dyn Any)> {
        self.0.get(index).map(|part| (part.stream(), part.decided()))
    }
}

/// Moves all states on, or none.
fn advance(parts: Parts<'_, '_>) -> Result<(), Failure> {
    let all = AssertUnwindSafe(|| parts.iter_mut().for_each(|part| part.advance()));
    catch_unwind(all).map_err(|panic| {
        for part in parts {
            part.forget();
        }
        Failure::panicked("evolve", &*panic)
    })
}

fn leave(parts: Parts<'_, '_>) {
    for part in parts {
        part.leave();
    }
}

const fn outcome(result: &Result<Done, Failure>) -> &'static str {
    match result {
        Ok(Done::Written(_)) => "done",
        Ok(Done::Replayed(_)) => "replayed",
        Err(Failure::Rejected(_)) => "rejected",
        Err(Failure::Version { .. }) => "version_mismatch",
        Err(Failure::Overloaded) => "overloaded",
        Err(Failure::TooLarge(_)) => "too_large",
        Err(_) => "failed",
    }
}

fn not_appended(error: AppendError, key: Option<&CommandKey>) -> Result<Attempt, Failure> {
    match error {
        AppendError::Conflict { .. } => Ok(Attempt::Again),
        AppendError::Duplicate(record) => same(*record, key).map(Done::Replayed).map(Attempt::Done),
        AppendError::TimerGone { .. } => Err(Failure::TimerGone),
        AppendError::Store(error) => Err(Failure::Store(error)),
        AppendError::PayloadTooLarge { stream, bytes } => {
            Err(Failure::TooLarge(OverLimit::Payload { stream, bytes }))
        }
        other => Err(Failure::Store(StoreError::unavailable("append", other))),
    }
}

/// Streams are always locked in sorted order, so two commands over the same streams cannot wait for each other.
fn lock_order(parts: &[&mut dyn Participant]) -> Result<SmallVec<[usize; 4]>, Failure> {
    if parts.is_empty() {
        return Err(Failure::Invalid("no command was given: a set needs at least one".to_owned()));
    }
    let mut order: SmallVec<[usize; 4]> = (0..parts.len()).collect();
    order.sort_by(|&a, &b| parts[a].stream().cmp(parts[b].stream()));
    let twice = order.windows(2).find(|pair| parts[pair[0]].stream() == parts[pair[1]].stream());
    match twice {
        Some(pair) => Err(Failure::Invalid(format!("stream {} is named twice", parts[pair[0]].stream()))),
        None => Ok(order),
    }
}
