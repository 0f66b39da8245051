//! What names the stream or instance that a decoded body belongs to.

/// A decoded body whose envelope has a typed key.
pub trait Keyed {
    /// The key: of an aggregate's own events its stream's key, of several aggregates' events the whole
    /// [`StreamId`](crate::StreamId), of a process's inputs its [`ProcessId`](crate::ProcessId).
    type Key: Clone + std::fmt::Debug + PartialEq + Send + Sync + 'static;
}
