//! What can be set, with its limits and defaults. The address contains the password and is not shown by `Debug`.

use std::fmt;
use std::time::Duration;

/// How to reach Redis.
#[derive(Clone)]
pub struct RedisOptions {
    /// `redis://[user]:[password]@host:port/database`. The connection is not encrypted.
    pub url: String,
    /// Stands before every key, so that several applications (or tests) can share a server. Default: empty.
    pub prefix: String,
    /// How long a call may take in all; callers of limits and caches wait for it when Redis hangs. Default 250 ms.
    pub answer_timeout: Duration,
    /// How long one attempt to connect may take. Default 2 s.
    pub connect_timeout: Duration,
    /// Largest value that is cached, in bytes; larger ones are not kept. Default 1 MiB.
    pub max_value_bytes: usize,
}

impl RedisOptions {
    /// The defaults, for this server.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            prefix: String::new(),
            answer_timeout: Duration::from_millis(250),
            connect_timeout: Duration::from_secs(2),
            max_value_bytes: 1024 * 1024,
        }
    }
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("prefix", &self.prefix)
            .field("answer_timeout", &self.answer_timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("max_value_bytes", &self.max_value_bytes)
            .finish_non_exhaustive()
    }
}
