//! What can go wrong in any storage port.

use std::error::Error;

/// A failure of storage. Domain outcomes (a version conflict) are separate types.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store did not answer or broke off; whether a write happened is unknown. Retry with the same command id.
    #[error("the store is unavailable while it should {doing}")]
    Unavailable {
        /// What was attempted.
        doing: &'static str,
        /// The cause.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The disk or another quota is full. Free space; nothing was written.
    #[error("the store is full while it should {doing}")]
    Full {
        /// What was attempted.
        doing: &'static str,
        /// The cause.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// What is stored cannot be read. Restore a backup; retrying does not help.
    #[error("stored data is damaged: {0}")]
    Corrupt(String),
    /// Another holder has taken over the work. Stop; do not retry.
    #[error("the lease on {work} was taken over by a newer holder")]
    Fenced {
        /// The leased work.
        work: String,
    },
    /// The store cannot be opened as configured. Do what the text says.
    #[error("{0}")]
    Setup(String),
    /// The caller asked for something that can never work, such as a filter on a column that is not indexed.
    #[error("the request is wrong: {0}")]
    InvalidRequest(String),
}

impl StoreError {
    /// An [`Self::Unavailable`] from any cause.
    pub fn unavailable(doing: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable { doing, source: source.into() }
    }

    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable { .. } | Self::Full { .. } => true,
            Self::Corrupt(_) | Self::Fenced { .. } | Self::Setup(_) | Self::InvalidRequest(_) => false,
        }
    }
}
