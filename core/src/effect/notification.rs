//! Transient messages: told to whoever listens now, at most once, never stored.

use async_trait::async_trait;
use serde::Serialize;
use serde_json::Value;
use std::fmt;

/// A message that may be lost: "somebody is typing", "prices moved, look again".
///
/// What must not be lost is an event; the relay publishes those from the log.
///
/// ```
/// use composable_rust_core::Notification;
/// #[derive(Debug, serde::Serialize)]
/// struct Typing { user: String }
/// impl Notification for Typing {
///     const TOPIC: &'static str = "typing";
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `Notification`: a domain event is never published by an effect",
    label = "not a notification",
    note = "a decider's event is appended, and the relay publishes it from the log; there is nothing to call",
    note = "for a message that may be lost, make a type of its own and write `impl Notification for … {{ const TOPIC: &'static str = \"…\"; }}`"
)]
pub trait Notification: Serialize + fmt::Debug {
    /// Where it is told.
    const TOPIC: &'static str;
}

/// An encoded notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Where it is told.
    pub topic: &'static str,
    /// What is told; the text of the error when it has no JSON form, and then it is not told.
    pub payload: Result<Value, String>,
}

impl Notice {
    /// The encoded form of `notification`.
    pub fn of<N: Notification>(notification: &N) -> Self {
        let payload = serde_json::to_value(notification).map_err(|error| error.to_string());
        Self { topic: N::TOPIC, payload }
    }
}

/// Tells notices to whoever listens.
///
/// # Cancel safety
/// A notice whose future is dropped was told or not; it is never told twice.
#[async_trait]
pub trait Notifier: fmt::Debug + Send + Sync {
    /// Tells `notice`; nobody may listen.
    async fn notify(&self, notice: Notice);
}
