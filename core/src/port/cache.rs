//! The port of cached reads: answers made from views, kept for a while, given up when the view says so.

use super::StoreError;
use crate::Position;
use async_trait::async_trait;
use bytes::Bytes;
use std::fmt;
use std::time::Duration;

/// Nothing is kept longer, whatever was asked for (a day).
pub const MAX_CACHE_KEEP: Duration = Duration::from_hours(24);

/// A value as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cached {
    /// The value.
    pub value: Bytes,
    /// What the view showed when the value was made.
    pub position: Position,
}

/// A value to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCached<'a> {
    /// Where it is found again.
    pub key: &'a str,
    /// The value; the adapter documents how large it may be.
    pub value: Bytes,
    /// What the view showed when the value was made.
    pub position: Position,
    /// What it is made from, such as the key of a row: any of them can make it stale. At most 16.
    pub tags: &'a [&'a str],
    /// For how long; at most [`MAX_CACHE_KEEP`].
    pub keep: Duration,
}

/// Keeps values that can be made again.
///
/// # Contract
/// - A value is found until its time is over, it is removed, or one of its tags changes; the adapter may forget it sooner.
/// - [`Self::invalidate`] at a position makes stale whatever has one of the tags and was made at a lower one, also if it
///   is put only afterwards: a reader that was slower than the projection cannot bring the old value back.
/// - A value that was put replaces the one before it.
/// - While the cache cannot be reached nothing is found and nothing is kept, without an error; only who invalidates is told,
///   because values may then be stale until their time is over.
///
/// # Cancel safety
/// A dropped future has done its work or not.
#[async_trait]
pub trait Cache: fmt::Debug + Send + Sync {
    /// The value of a key.
    ///
    /// # Errors
    /// [`StoreError`] when the cache is used in a way that can never work.
    async fn get(&self, key: &str) -> Result<Option<Cached>, StoreError>;

    /// Keeps a value.
    ///
    /// # Errors
    /// As [`Self::get`].
    async fn put(&self, value: NewCached<'_>) -> Result<(), StoreError>;

    /// What these tags stand for has changed, as of `position`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: values may be stale until their time is over, or until a repeat succeeds.
    async fn invalidate(&self, tags: &[&str], position: Position) -> Result<(), StoreError>;

    /// Forgets the value of a key.
    ///
    /// # Errors
    /// As [`Self::invalidate`].
    async fn remove(&self, key: &str) -> Result<(), StoreError>;
}
