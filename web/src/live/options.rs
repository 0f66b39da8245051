//! The limits of what clients follow.

use composable_rust_core::port::Rate;
use std::time::Duration;

/// How many may follow, and how often they are told. Event streams and sockets are counted apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveOptions {
    /// Most followers in all, of each kind; further ones are refused with 503 `overloaded`.
    pub max_followers: usize,
    /// Most followers of one address, an IPv6 address counting with its whole /64; further ones get 429 `rate_limited`.
    pub max_per_ip: usize,
    /// Most followers of one account; further ones get 429 `rate_limited`.
    pub max_per_user: usize,
    /// Shortest time between two updates of one thing. Large ones come more rarely: it is added for each 256 KiB.
    pub pause: Duration,
    /// Longest silence: then a comment or a ping shows that the connection lives.
    pub keep_alive: Duration,
    /// Longest time that one connection is followed by; clients come again by themselves, with a token of that day.
    pub max_age: Duration,
    /// Largest message of a client, in bytes.
    pub max_message: usize,
    /// How many messages a client may send; then its socket is closed.
    pub messages: Rate,
    /// How many things one socket may follow.
    pub max_topics: usize,
    /// Longest time that a client may leave a message unread, or wait before it says who it is.
    pub patience: Duration,
}

impl Default for LiveOptions {
    fn default() -> Self {
        Self {
            max_followers: 5_000,
            max_per_ip: 100,
            max_per_user: 5,
            pause: Duration::from_millis(250),
            keep_alive: Duration::from_secs(15),
            max_age: Duration::from_hours(1),
            max_message: 4 * 1024,
            messages: Rate::per_minute(100),
            max_topics: 20,
            patience: Duration::from_secs(10),
        }
    }
}
