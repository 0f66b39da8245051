//! The port of durable timers: work that becomes due, kept beside the events that caused it.
//!
//! Every effect of a process is a timer: a command to dispatch or an activity to call is due at once. Timers are set
//! and consumed in the transaction of an append ([`TimerChanges`]), so nothing is done twice and nothing is forgotten.

use super::StoreError;
use crate::{StreamId, TimerId};
use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use std::fmt;
use uuid::Uuid;

/// A timer to set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTimer {
    /// Its id; a pending timer with the same id is replaced.
    pub id: TimerId,
    /// Which schedule of the id this is; who acts on a timer must claim this token.
    pub token: Uuid,
    /// Who handles it: the name of a process.
    pub queue: String,
    /// The stream it belongs to.
    pub stream: StreamId,
    /// When it is due.
    pub due: Timestamp,
    /// What to do, encoded by the owner of the queue.
    pub payload: Bytes,
}

/// A pending timer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timer {
    /// What was set; `due` moves on with each retry.
    pub timer: NewTimer,
    /// How often it was tried and postponed.
    pub attempts: u32,
}

/// The right to act on one schedule of a timer, consumed by the append that acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimerClaim {
    /// The timer.
    pub id: TimerId,
    /// The schedule.
    pub token: Uuid,
}

/// What an append does to timers, in this order: claim, cancel, schedule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TimerChanges {
    /// Timers acted upon: each must still be pending with its token, and is removed.
    pub claim: Vec<TimerClaim>,
    /// Timers removed if they are pending.
    pub cancel: Vec<TimerId>,
    /// Timers set.
    pub schedule: Vec<NewTimer>,
}

impl TimerChanges {
    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        self.claim.is_empty() && self.cancel.is_empty() && self.schedule.is_empty()
    }
}

/// Which due timers are left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Skip<'a> {
    /// Timers that are under way already.
    pub timers: &'a [TimerId],
    /// Streams whose timers must wait.
    pub streams: &'a [StreamId],
}

/// Reads pending timers. They are written by appends.
///
/// # Contract
/// - [`Self::due`] returns timers in the order of their due time, then id; what it is told to skip does not count.
/// - [`Self::postpone`] and [`Self::remove`] act only on the schedule claimed; on another they answer `false`.
///
/// # Cancel safety
/// Dropping the future of a write leaves it done or not; repeating it answers `false` where it was done.
#[async_trait]
pub trait TimerStore: fmt::Debug + Send + Sync {
    /// At most `limit` timers of `queue` that are due at `now`, except those in `skip`.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed.
    async fn due(
        &self,
        queue: &str,
        now: Timestamp,
        skip: Skip<'_>,
        limit: usize,
    ) -> Result<Vec<Timer>, StoreError>;

    /// When the next timer of `queue` after `now` is due.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed.
    async fn next_due(&self, queue: &str, now: Timestamp) -> Result<Option<Timestamp>, StoreError>;

    /// The queues in which a timer is pending, by name: for finding those that nobody handles. Quick, however many timers
    /// there are.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed.
    async fn queues(&self) -> Result<Vec<String>, StoreError>;

    /// Moves a timer to `due` after a failed attempt and counts the attempt.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed.
    async fn postpone(&self, claim: TimerClaim, due: Timestamp) -> Result<bool, StoreError>;

    /// Removes a timer without an append, when acting on it turned out to write nothing.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed.
    async fn remove(&self, claim: TimerClaim) -> Result<bool, StoreError>;

    /// All pending timers of one stream, by due time; for the console and tests.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed.
    async fn pending(&self, stream: &StreamId) -> Result<Vec<Timer>, StoreError>;
}
