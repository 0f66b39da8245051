//! The limits of the adapter, each with its unit. Not here: the servers' URLs, which are secrets (`open.rs`).

use std::time::Duration;

/// Limits of one opened PostgreSQL database.
///
/// Several instances share the server's `max_connections`: each opens at most `writers + connections + 1`.
///
/// ```
/// use composable_rust_postgres::PostgresOptions;
/// let options = PostgresOptions { connections: 32, ..PostgresOptions::default() };
/// assert_eq!(options.writers, 4);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresOptions {
    /// Most connections that append events and find out how far the log may be read, at least 1. Appends are gathered
    /// before they come here, so a few are enough. Default 4.
    pub writers: u32,
    /// Most connections for everything else: loading, views, timers, leases; at least 1. Default 16.
    pub connections: u32,
    /// How long a call waits for a free connection before it fails as unavailable. Default 5 s.
    pub acquire_timeout: Duration,
    /// How long an unused connection is kept. Default 10 min.
    pub idle_timeout: Duration,
    /// How long a connection is used before another one replaces it, so that load follows a server that moved.
    /// Default 30 min.
    pub max_lifetime: Duration,
    /// How long one statement may run on the server, and how long a transaction may do nothing. `None` leaves it to the server; so does `statements: 0`, because a
    /// pooler refuses the setting. Default 30 s.
    pub statement_timeout: Option<Duration>,
    /// Prepared statements kept by each connection; 0 keeps none and puts every statement in a transaction of its own,
    /// as a pooler in transaction mode needs it. Default 256.
    pub statements: usize,
    /// The schema that holds the tables; made when it is missing. `None` takes the first one of the role's search path
    /// (`public`, usually). Needs a connection without a pooler in between. Default `None`.
    pub schema: Option<String>,
    /// The clock by which leases end. Default: the server's.
    pub lease_clock: LeaseClock,
    /// How often the log is looked at where no signal came: from other software, or while the wake-ups of other
    /// instances are lost. Default 500 ms.
    pub poll_interval: Duration,
    /// Least time between two wake-ups sent to other instances; what is appended meanwhile is told by the next.
    /// Default 10 ms.
    pub notify_interval: Duration,
}

/// Whose time decides when a lease ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseClock {
    /// The database server's: the same for all instances, however far their clocks are apart.
    Server,
    /// That of the application's environment, for tests that move it.
    Environment,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            writers: 4,
            connections: 16,
            acquire_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_mins(10),
            max_lifetime: Duration::from_mins(30),
            statement_timeout: Some(Duration::from_secs(30)),
            statements: 256,
            schema: None,
            lease_clock: LeaseClock::Server,
            poll_interval: Duration::from_millis(500),
            notify_interval: Duration::from_millis(10),
        }
    }
}
