//! The port of dead letters: what could not be handled, parked for a person to look at.

use super::{Page, PageRequest, StoreError};
use crate::{DeadLetterId, Position, StreamId};
use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a dead letter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DlqStatus {
    /// Waits for somebody.
    Pending,
    /// A retry is under way.
    Processing,
    /// Handled in the end.
    Resolved,
    /// Given up on purpose.
    Discarded,
}

/// A failure to park.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDeadLetter {
    /// Unique id.
    pub id: DeadLetterId,
    /// Which subscription or queue failed.
    pub subscription: String,
    /// The stream of the event, or of the process instance: later events of it are parked too.
    pub stream: StreamId,
    /// Where the failed event stands in the log; `None` for work that is no event, such as an activity.
    pub position: Option<Position>,
    /// What kind of event or work.
    pub event_type: String,
    /// What could not be handled.
    pub payload: Bytes,
    /// The error, and after it what caused it.
    pub error_chain: Vec<String>,
    /// How often it was tried.
    pub attempts: u32,
    /// When it first failed.
    pub first_failed_at: Timestamp,
    /// When it last failed.
    pub last_failed_at: Timestamp,
}

/// A parked failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// What failed.
    pub letter: NewDeadLetter,
    /// Where it stands.
    pub status: DlqStatus,
    /// Who resolved or discarded it.
    pub resolved_by: Option<String>,
    /// When.
    pub resolved_at: Option<Timestamp>,
    /// Why.
    pub notes: Option<String>,
}

/// Which dead letters to list; empty lists all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeadLetterFilter {
    /// Only of this subscription.
    pub subscription: Option<String>,
    /// Only with one of these statuses.
    pub statuses: Vec<DlqStatus>,
    /// Only of this stream.
    pub stream: Option<StreamId>,
}

/// How many dead letters there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DlqStats {
    /// Waiting.
    pub pending: u64,
    /// Being retried.
    pub processing: u64,
    /// Handled.
    pub resolved: u64,
    /// Given up.
    pub discarded: u64,
}

/// Keeps dead letters.
///
/// # Contract
/// - A second letter of the same subscription and position is not added: the first one's attempts, error and last
///   failure are updated, and it is pending again.
/// - Letters are listed by position, then by the time of the first failure.
///
/// # Cancel safety
/// Dropping the future of a write leaves it done whole or not at all. Adding again does no harm; a transition that is
/// repeated answers that the letter has moved already.
#[async_trait]
pub trait DeadLetterQueue: fmt::Debug + Send + Sync {
    /// Parks a failure; answers the id under which it is kept.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed.
    async fn add(&self, letter: NewDeadLetter) -> Result<DeadLetterId, StoreError>;

    /// One dead letter.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed.
    async fn get(&self, id: DeadLetterId) -> Result<Option<DeadLetter>, StoreError>;

    /// A page of dead letters, by position, first failure and id; those of no event come first.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed.
    async fn list(
        &self,
        filter: &DeadLetterFilter,
        page: PageRequest,
    ) -> Result<Page<DeadLetter>, StoreError>;

    /// Streams of which `subscription` has an unresolved letter: their later events must be parked too.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed.
    async fn parked_streams(&self, subscription: &str) -> Result<Vec<StreamId>, StoreError>;

    /// Moves a letter from one of `from` to `to`; `false` when it is in another status (somebody was faster).
    ///
    /// # Errors
    /// [`StoreError`] when the store failed.
    async fn transition(
        &self,
        id: DeadLetterId,
        from: &[DlqStatus],
        to: DlqStatus,
        by: Option<&str>,
        notes: Option<&str>,
    ) -> Result<bool, StoreError>;

    /// Counts by status.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed.
    async fn stats(&self) -> Result<DlqStats, StoreError>;
}
