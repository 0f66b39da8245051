//! How a store refuses.

/// Why an action was not reduced. The state is unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// Too many effects are queued. Send later, or use [`Store::send_when_ready`](super::Store::send_when_ready).
    #[error("the store has too many effects queued")]
    Overloaded,
    /// The store was shut down. Do not send again.
    #[error("the store was shut down")]
    Closed,
    /// A reducer panicked and may have left the state half changed. Start a new store.
    #[error("a reducer of this store panicked")]
    Broken,
}

/// Why nothing was waited for to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// The action was not reduced.
    #[error(transparent)]
    Refused(#[from] SendError),
    /// Everything that the request started has ended, and nothing of it was an answer. Waiting longer cannot help.
    #[error("the request ended without an answer")]
    Unanswered,
    /// The time is up; an answer may still come and changes the state then.
    #[error("no answer came in time")]
    TimedOut,
}

/// A shutdown that had to give up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{effects} effects were still running when the time for shutting down was up")]
pub struct ShutdownError {
    /// How many were given up.
    pub effects: usize,
}

/// Why an observer has no next item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ObserveError {
    /// The observer was too slow and this many were skipped. Read the state anew and go on.
    #[error("the observer lagged behind and missed {missed}")]
    Lagged {
        /// How many were skipped.
        missed: u64,
    },
    /// No more will come.
    #[error("the store was shut down")]
    Closed,
}
