//! What a reader of a view must be ready for.

use composable_rust_core::Position;
use composable_rust_core::port::StoreError;

/// A view did not reach a position in time. Show what there is, or answer that it takes a little longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{name} is at position {reached}, not yet at {wanted}")]
pub struct Behind {
    /// The projection.
    pub name: &'static str,
    /// The position waited for.
    pub wanted: Position,
    /// How far it is, as far as is known.
    pub reached: Position,
}

/// Why a view cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    /// It did not reach the position wanted in time.
    #[error(transparent)]
    Behind(#[from] Behind),
    /// The projection has never run. Register it and start the application.
    #[error("{name} was never built")]
    NotBuilt {
        /// The projection.
        name: &'static str,
    },
    /// The rows are those of older code and do not fit; they are being built anew. Answer "unavailable" with a time to
    /// try again.
    #[error("{name} is being rebuilt")]
    Rebuilding {
        /// The projection.
        name: &'static str,
    },
    /// A row does not fit its type. Raise the projection's version, so that it is rebuilt.
    #[error("row {key:?} of {name} does not fit its type")]
    Row {
        /// The projection.
        name: &'static str,
        /// The row's key.
        key: String,
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
    /// The store failed, or the question is wrong.
    #[error(transparent)]
    Store(#[from] StoreError),
}
