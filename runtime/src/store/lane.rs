//! A bounded pool of workers for effects: as many as there is work for, up to a limit, and some kept for the next one.
//!
//! Not here: what a worker does with a job (`shared.rs`).

use super::interpreter::Plan;
use super::request::Lineage;
use composable_rust_core::EffectKind;
use std::collections::VecDeque;
use tokio::sync::Notify;

/// An effect that is to be run.
pub(super) struct Job<A> {
    pub(super) plan: Plan<A>,
    pub(super) kind: EffectKind,
    pub(super) lineage: Lineage<A>,
}

/// Which pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pool {
    /// Work that ends by itself.
    Work,
    /// Waits.
    Waits,
}

/// What is queued and who works on it; lives under the store's lock.
pub(super) struct Lane<A> {
    pub(super) queue: VecDeque<Job<A>>,
    pub(super) running: usize,
    workers: usize,
    /// Workers that sleep, the ones woken already included.
    idle: usize,
    /// Workers called for that have not come yet.
    coming: usize,
}

/// What is to be done once the lock is released.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Calls {
    pub(super) start: usize,
    pub(super) wake: usize,
}

/// How a worker came to its next turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It was just started.
    Started,
    /// It slept.
    Slept,
    /// It ran a job.
    Ran,
}

/// What a worker does next.
pub(super) enum Next<A> {
    Run(Job<A>),
    Sleep,
    End,
}

impl<A> Lane<A> {
    pub(super) fn new() -> Self {
        Self { queue: VecDeque::with_capacity(16), running: 0, workers: 0, idle: 0, coming: 0 }
    }

    /// Who must be called for `added` new jobs.
    pub(super) fn calls_for(&mut self, added: usize, max_workers: usize) -> Calls {
        let lacking = self.queue.len().saturating_sub(self.idle + self.coming);
        let start = lacking.min(max_workers.saturating_sub(self.workers));
        self.workers += start;
        self.coming += start;
        Calls { start, wake: added.min(self.idle) }
    }

    /// The next thing to do for a worker that came by `turn`.
    pub(super) fn next(&mut self, turn: Turn, keep_idle: usize) -> Next<A> {
        match turn {
            Turn::Started => self.coming -= 1,
            Turn::Slept => self.idle -= 1,
            Turn::Ran => self.running -= 1,
        }
        if let Some(job) = self.queue.pop_front() {
            self.running += 1;
            return Next::Run(job);
        }
        if self.idle < keep_idle {
            self.idle += 1;
            return Next::Sleep;
        }
        self.workers -= 1;
        Next::End
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.running == 0
    }
}

/// What wakes the workers of each pool.
#[derive(Debug, Default)]
pub(super) struct Bells {
    work: Notify,
    waits: Notify,
}

impl Bells {
    pub(super) const fn of(&self, pool: Pool) -> &Notify {
        match pool {
            Pool::Work => &self.work,
            Pool::Waits => &self.waits,
        }
    }
}
