//! Timers in memory. Appends set, cancel and claim them, in `append.rs`.

use super::{MemoryAdapter, to_the_microsecond};
use async_trait::async_trait;
use composable_rust_core::port::{NewTimer, Skip, StoreError, Timer, TimerClaim, TimerStore};
use composable_rust_core::{StreamId, TimerId};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// The pending timers.
#[derive(Debug, Default)]
pub(super) struct TimerTable {
    pending: BTreeMap<TimerId, Timer>,
}

impl TimerTable {
    /// Whether the schedule claimed is still pending.
    pub(super) fn holds(&self, claim: &TimerClaim) -> bool {
        self.pending.get(&claim.id).is_some_and(|pending| pending.timer.token == claim.token)
    }

    pub(super) fn cancel(&mut self, id: TimerId) {
        self.pending.remove(&id);
    }

    pub(super) fn schedule(&mut self, mut timer: NewTimer) {
        timer.due = to_the_microsecond(timer.due);
        self.pending.insert(timer.id, Timer { timer, attempts: 0 });
    }

    fn claimed(&mut self, claim: &TimerClaim) -> Option<&mut Timer> {
        self.pending.get_mut(&claim.id).filter(|pending| pending.timer.token == claim.token)
    }

    /// The timers for which `wanted` holds, by due time, then id.
    fn by_due_time(&self, wanted: impl Fn(&NewTimer) -> bool) -> Vec<&Timer> {
        let mut timers: Vec<&Timer> =
            self.pending.values().filter(|pending| wanted(&pending.timer)).collect();
        timers.sort_by_key(|pending| (pending.timer.due, pending.timer.id));
        timers
    }
}

#[async_trait]
impl TimerStore for MemoryAdapter {
    async fn due(
        &self,
        queue: &str,
        now: Timestamp,
        skip: Skip<'_>,
        limit: usize,
    ) -> Result<Vec<Timer>, StoreError> {
        self.perform("due", |tables, _| {
            let is_skipped =
                |timer: &NewTimer| skip.timers.contains(&timer.id) || skip.streams.contains(&timer.stream);
            let wanted = |timer: &NewTimer| timer.queue == queue && timer.due <= now && !is_skipped(timer);
            tables.timers.by_due_time(wanted).into_iter().take(limit).cloned().collect()
        })
        .await
    }

    async fn next_due(&self, queue: &str, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.perform("next_due", |tables, _| {
            let later = tables.timers.by_due_time(|timer| timer.queue == queue && timer.due > now);
            later.first().map(|next| next.timer.due)
        })
        .await
    }

    async fn queues(&self) -> Result<Vec<String>, StoreError> {
        self.perform("queues", |tables, _| {
            let queues: BTreeSet<_> =
                tables.timers.pending.values().map(|set| set.timer.queue.clone()).collect();
            queues.into_iter().collect()
        })
        .await
    }

    async fn postpone(&self, claim: TimerClaim, due: Timestamp) -> Result<bool, StoreError> {
        self.perform("postpone", |tables, _| match tables.timers.claimed(&claim) {
            Some(pending) => {
                pending.timer.due = to_the_microsecond(due);
                pending.attempts += 1;
                true
            }
            None => false,
        })
        .await
    }

    async fn remove(&self, claim: TimerClaim) -> Result<bool, StoreError> {
        self.perform("remove", |tables, _| {
            let held = tables.timers.holds(&claim);
            if held {
                tables.timers.cancel(claim.id);
            }
            held
        })
        .await
    }

    async fn pending(&self, stream: &StreamId) -> Result<Vec<Timer>, StoreError> {
        self.perform("pending", |tables, _| {
            tables.timers.by_due_time(|timer| timer.stream == *stream).into_iter().cloned().collect()
        })
        .await
    }
}
