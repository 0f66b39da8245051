//! What several instances of an application share beside its log, in Redis: request budgets, cached reads, sessions.
//!
//! [`Redis`] connects and gives an adapter for each port. Nothing here is the only copy of anything that matters: limits
//! begin anew, reads are made again, people sign in again. What happens while Redis is away is said at each adapter; no
//! call takes longer than [`RedisOptions::answer_timeout`], and once Redis is back they work again.
//!
//! One server (or primary with replicas), not a cluster: some scripts touch several keys at once.
//!
//! ```no_run
//! use composable_rust_redis::{Redis, RedisOptions};
//! # async fn example() -> Result<(), composable_rust_core::port::StoreError> {
//! let redis = Redis::connect(RedisOptions::new("redis://:secret@127.0.0.1:6379/0")).await?;
//! let (limits, cache, sessions) = (redis.rate_limits(), redis.cache(), redis.sessions());
//! # Ok(())
//! # }
//! ```

mod options;

mod connection;
mod error;

mod cache;
mod rate_limits;
mod sessions;

pub use cache::RedisCache;
pub use connection::Redis;
pub use options::RedisOptions;
pub use rate_limits::RedisRateLimits;
pub use sessions::RedisSessions;
