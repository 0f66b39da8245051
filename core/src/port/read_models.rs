//! The port of read models: rows that projections write with their checkpoint, and queries on them.

use super::{Checkpoint, StoreError};
use crate::Position;
use async_trait::async_trait;
use bytes::Bytes;
use std::fmt;

/// A set of rows of one shape.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReadModel {
    /// Its name, unique in the application: `a-z 0-9 _`, at most 48 characters.
    pub name: String,
    /// Which build of it: a rebuild writes the next generation beside the live one.
    pub generation: u32,
    /// The columns that queries may filter and order by, besides the key.
    pub indexes: Vec<String>,
}

/// A value of an indexed column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IndexValue {
    /// No value; sorts first and equals nothing but itself. [`Filter::AtLeast`], [`Filter::LessThan`] and
    /// [`Filter::Contains`] never find it, nor anything beside it.
    Null,
    /// A whole number; also booleans (0, 1) and times (microseconds since 1970).
    Integer(i64),
    /// A text, compared byte by byte.
    Text(String),
}

/// One change of a read model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowChange {
    /// The row becomes this, whether it existed or not.
    Put {
        /// Its key.
        key: String,
        /// Its encoded content.
        body: Bytes,
        /// The values of [`ReadModel::indexes`], in their order.
        indexes: Vec<IndexValue>,
    },
    /// The row is gone.
    Delete {
        /// Its key.
        key: String,
    },
}

/// The outcome of folding a batch of events: rows and checkpoint, written in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewBatch {
    /// The read model.
    pub model: ReadModel,
    /// Its changes; each key at most once.
    pub changes: Vec<RowChange>,
    /// The progress that these rows show.
    pub checkpoint: Checkpoint,
    /// A second subscription whose fence the checkpoint's must not be lower than, where the work is done under the
    /// lease of one subscription and its progress kept under another name (an event tried again out of turn).
    pub fenced_by: Option<String>,
}

/// A row as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRow {
    /// Its key.
    pub key: String,
    /// Its encoded content.
    pub body: Bytes,
}

/// A condition on a row; all conditions of a query must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// The column equals the value.
    Equals(String, IndexValue),
    /// The column is one of the values.
    AnyOf(String, Vec<IndexValue>),
    /// The column is at least the value.
    AtLeast(String, IndexValue),
    /// The column is less than the value.
    LessThan(String, IndexValue),
    /// The text column contains this text; ASCII letters match in either case.
    Contains(String, String),
}

/// The order of the rows; rows that are equal in it are ordered by key, in the same direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// An indexed column; `None` orders by key.
    pub column: Option<String>,
    /// Largest first.
    pub descending: bool,
}

/// Which page of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// From 1.
    pub page: u32,
    /// Rows on a page, 1 to 1,000.
    pub size: u32,
}

impl PageRequest {
    /// The first page with `size` rows.
    pub const fn first(size: u32) -> Self {
        Self { page: 1, size }
    }

    /// How many rows come before this page.
    pub fn offset(self) -> u64 {
        u64::from(self.page.saturating_sub(1)) * u64::from(self.size)
    }
}

/// A page of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// How many there are in all.
    pub total: u64,
}

/// A question to a read model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Conditions, all of which must hold.
    pub filters: Vec<Filter>,
    /// The order.
    pub order: Order,
    /// The page.
    pub page: PageRequest,
}

/// Keeps rows.
///
/// # Contract
/// - [`Self::commit`] writes rows and checkpoint in one transaction. A checkpoint at or before the saved one writes no
///   row and succeeds: replaying a part of the log changes nothing. Fences are those of
///   [`CheckpointStore`](super::CheckpointStore): a lower one is refused, a higher one saved also then.
/// - A query sees whole batches only, and answers the checkpoint that its rows show.
/// - A filter or order on a column that is not indexed is [`StoreError::InvalidRequest`].
///
/// # Cancel safety
/// Dropping the future of a write leaves it done whole or not at all; repeating it does no harm.
#[async_trait]
pub trait ReadModelStore: fmt::Debug + Send + Sync {
    /// Makes the read model ready to be written; doing so again changes nothing.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed.
    async fn prepare(&self, model: &ReadModel) -> Result<(), StoreError>;

    /// Loads rows by key; those that do not exist are left out.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed.
    async fn load(&self, model: &ReadModel, keys: &[String]) -> Result<Vec<StoredRow>, StoreError>;

    /// Writes a batch.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when a newer holder has saved, else [`StoreError`] when the store failed.
    async fn commit(&self, batch: ViewBatch) -> Result<(), StoreError>;

    /// One row, with the position that the read model had reached. `subscription` names its checkpoint.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed.
    async fn get(
        &self,
        model: &ReadModel,
        subscription: &str,
        key: &str,
    ) -> Result<(Option<StoredRow>, Position), StoreError>;

    /// A page of rows, with the position that the read model had reached.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed.
    async fn query(
        &self,
        model: &ReadModel,
        subscription: &str,
        query: &Query,
    ) -> Result<(Page<StoredRow>, Position), StoreError>;

    /// The generation that readers use, if the read model was ever switched to one.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed.
    async fn live_generation(&self, name: &str) -> Result<Option<(u32, String)>, StoreError>;

    /// Makes `generation` the one that readers use, with a note of what it was built by (its definition's version),
    /// and saves the progress of whoever decides that, in one transaction.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when a newer holder has saved: nothing is switched; else [`StoreError`] when the store
    /// failed.
    async fn switch_generation(
        &self,
        name: &str,
        generation: u32,
        definition: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StoreError>;

    /// Removes a generation's rows.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed.
    async fn drop_generation(&self, model: &ReadModel) -> Result<(), StoreError>;
}
