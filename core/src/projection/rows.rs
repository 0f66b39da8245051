//! The rows that a batch of events touches: folded in memory, loaded as needed, written at once.

use super::Row;

/// An event asked for something that cannot be; the projection's failure policy decides what follows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// `update` of a row that does not exist.
    #[error("row {key:?} cannot be updated: it does not exist (use `upsert` where it may be missing)")]
    MissingRow {
        /// The row's key.
        key: String,
    },
}

/// The rows that a batch of events touches.
#[derive(Debug)]
pub struct Rows<R: Row> {
    marker: std::marker::PhantomData<R>,
}
