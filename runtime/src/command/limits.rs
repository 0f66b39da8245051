//! How much one command may append: a decision that runs away is refused before it reaches the log.
//!
//! Not here: how many commands may wait (`committer.rs`), and the bounds of the options themselves (`application/`).

use composable_rust_core::StreamId;
use composable_rust_core::port::{Append, MAX_PAYLOAD_BYTES};

/// What one command decided was more than it may append; nothing was written. The text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OverLimit {
    /// Too many events.
    #[error(
        "one command decided {events} events and may append {limit}: split it into several commands, or raise \
         `commands.max_events` of the application's options"
    )]
    Events {
        /// How many it decided, as far as they were counted.
        events: usize,
        /// [`CommandOptions::max_events`](crate::CommandOptions::max_events).
        limit: usize,
    },
    /// Too many bytes of payloads and metadata.
    #[error(
        "one command decided {bytes} bytes of events and may append {limit}: keep large content elsewhere and a \
         reference in the event, split the command, or raise `commands.max_bytes` of the application's options"
    )]
    Bytes {
        /// How many bytes it decided, as far as they were counted.
        bytes: usize,
        /// [`CommandOptions::max_bytes`](crate::CommandOptions::max_bytes).
        limit: usize,
    },
    /// One event is too large for every store.
    #[error(
        "an event of {bytes} bytes for {stream} is over the limit of {MAX_PAYLOAD_BYTES}: keep large content \
         elsewhere and a reference in the event"
    )]
    Payload {
        /// The event's stream.
        stream: StreamId,
        /// The bytes of its payload.
        bytes: usize,
    },
}

impl OverLimit {
    /// How much there was, how much is allowed, and of what: `events` or `bytes`.
    pub const fn measured(&self) -> (usize, usize, &'static str) {
        match self {
            Self::Events { events, limit } => (*events, *limit, "events"),
            Self::Bytes { bytes, limit } => (*bytes, *limit, "bytes"),
            Self::Payload { bytes, .. } => (*bytes, MAX_PAYLOAD_BYTES, "bytes"),
        }
    }
}

/// Refuses an append with more than `max_events` events or `max_bytes` bytes, or with an event that no store takes.
pub(super) fn check(append: &Append, max_events: usize, max_bytes: usize) -> Result<(), OverLimit> {
    let events = append.streams.iter().map(|part| part.events.len()).sum();
    if events > max_events {
        return Err(OverLimit::Events { events, limit: max_events });
    }
    let mut bytes = 0;
    for part in &append.streams {
        for event in &part.events {
            if event.payload.len() > MAX_PAYLOAD_BYTES {
                return Err(OverLimit::Payload { stream: part.stream.clone(), bytes: event.payload.len() });
            }
            bytes += event.content_bytes();
        }
    }
    if bytes > max_bytes { Err(OverLimit::Bytes { bytes, limit: max_bytes }) } else { Ok(()) }
}
