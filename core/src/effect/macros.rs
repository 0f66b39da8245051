//! Effects with named fields: `async_effect!`, `append_events!`, `publish_event!` and `delay!`.

/// Awaits a future; the action it gives (or `None`) comes back.
///
/// ```
/// # use composable_rust_core::{async_effect, Effects};
/// # #[derive(Debug)] enum Action { Loaded(u32) }
/// let effects: Effects<Action> = async_effect! { name: "load", run: async { Action::Loaded(1) } };
/// assert_eq!(effects.describe()[0].to_string(), "future load");
/// ```
#[macro_export]
macro_rules! async_effect {
    (name: $name:expr, run: $future:expr $(,)?) => {
        $crate::Effects::future($name, $future)
    };
}

/// Gives back an action after a while, in memory only.
///
/// ```
/// # use composable_rust_core::{delay, Effects};
/// # use std::time::Duration;
/// # #[derive(Debug)] enum Action { Tick }
/// let effects: Effects<Action> = delay! { after: Duration::from_secs(1), action: Action::Tick };
/// assert_eq!(effects.describe()[0].to_string(), "delay 1s: Tick");
/// ```
#[macro_export]
macro_rules! delay {
    (after: $after:expr, action: $action:expr $(,)?) => {
        $crate::Effects::delay($after, $action)
    };
}

/// Appends events to a stream at an expected version; success and failure become actions.
///
/// `append_events! { stream: id, expected: version, events: [event], on_success: |appended| …, on_error: |error| … }`;
/// `metadata: …` may follow `events`.
#[macro_export]
macro_rules! append_events {
    (
        stream: $stream:expr,
        expected: $expected:expr,
        events: $events:expr,
        $(metadata: $metadata:expr,)?
        on_success: $success:expr,
        on_error: $failure:expr $(,)?
    ) => {
        $crate::effect::append_or_else(
            $crate::effect::AppendEvents::new($stream, $expected, $events)$(.from_origin($metadata))?,
            $success,
            $failure,
        )
    };
}

/// Tells a [`Notification`](crate::Notification) to whoever listens now, at most once.
///
/// A decider's event is not a notification, and giving one here does not compile: the relay publishes it from the log.
///
/// ```
/// # use composable_rust_core::{publish_event, Effects, Notification};
/// # #[derive(Debug, serde::Serialize)] struct Typing { user: u32 }
/// # impl Notification for Typing { const TOPIC: &'static str = "typing"; }
/// let effects: Effects<()> = publish_event! { notification: Typing { user: 7 } };
/// assert_eq!(effects.describe()[0].to_string(), r#"notify typing: {"user":7}"#);
/// ```
#[macro_export]
macro_rules! publish_event {
    (notification: $notification:expr $(,)?) => {
        $crate::Effects::notify(&$notification)
    };
}
