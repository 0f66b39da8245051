//! One connection for all adapters, made again when it breaks, and the limit on how long a call waits for it.
//!
//! Not here: retries. Whoever calls has better things to do than to wait for Redis.

use crate::error::{Silent, address_failure, failure};
use crate::options::RedisOptions;
use crate::{RedisCache, RedisRateLimits, RedisSessions};
use composable_rust_core::port::StoreError;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, FromRedisValue, RedisResult, Script, ScriptInvocation};
use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A Redis server. A clone is the same one, with the same connection.
#[derive(Clone)]
pub struct Redis {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    options: RedisOptions,
    /// Host and port, without secrets.
    address: String,
    manager: Mutex<ConnectionManager>,
    /// How many managers were given up: those who share one give it up once.
    generation: AtomicU64,
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("address", &self.inner.address).finish_non_exhaustive()
    }
}

impl Redis {
    /// A server that is connected to when it is needed: an application may start while it is away.
    ///
    /// # Errors
    /// [`StoreError::Setup`] for an address that cannot be one.
    pub fn new(options: RedisOptions) -> Result<Self, StoreError> {
        let client = Client::open(options.url.as_str()).map_err(|_| address_failure(""))?;
        let address = client.get_connection_info().addr().to_string();
        let manager = manager(&client, &options).map_err(|error| failure(&address, "connect", error))?;
        let (manager, generation) = (Mutex::new(manager), AtomicU64::new(0));
        Ok(Self { inner: Arc::new(Inner { client, options, address, manager, generation }) })
    }

    /// A server that has answered.
    ///
    /// # Errors
    /// As [`Self::new`], [`StoreError::Setup`] for a wrong password, and [`StoreError::Unavailable`] when it does not answer
    /// within [`RedisOptions::connect_timeout`]: try again.
    ///
    /// # Cancel safety
    /// It changes nothing.
    pub async fn connect(options: RedisOptions) -> Result<Self, StoreError> {
        let redis = Self::new(options)?;
        let Inner { client, options, address, .. } = &*redis.inner;
        let connecting = async {
            let mut connection = client.get_multiplexed_async_connection().await?;
            redis::cmd("PING").query_async::<String>(&mut connection).await
        };
        match tokio::time::timeout(options.connect_timeout, connecting).await {
            Ok(answered) => answered.map_err(|error| failure(address, "connect", error))?,
            Err(_) => return Err(silent(address, "connect", options.connect_timeout.as_millis())),
        };
        Ok(redis)
    }

    /// Request budgets.
    pub fn rate_limits(&self) -> RedisRateLimits {
        RedisRateLimits::new(self.clone())
    }

    /// Cached reads.
    pub fn cache(&self) -> RedisCache {
        RedisCache::new(self.clone())
    }

    /// Sessions.
    pub fn sessions(&self) -> RedisSessions {
        RedisSessions::new(self.clone())
    }

    pub(crate) fn options(&self) -> &RedisOptions {
        &self.inner.options
    }

    /// A key of ours.
    pub(crate) fn key(&self, kind: &str, name: &str) -> String {
        format!("{}{kind}:{name}", self.inner.options.prefix)
    }

    /// Runs a script, which nothing interrupts.
    pub(crate) async fn run<T: FromRedisValue>(
        &self,
        doing: &'static str,
        script: &Script,
        prepare: impl FnOnce(&mut ScriptInvocation<'_>),
    ) -> Result<T, StoreError> {
        let mut invocation = script.prepare_invoke();
        prepare(&mut invocation);
        self.call(doing, async |mut connection| invocation.invoke_async(&mut connection).await).await
    }

    /// Makes a call within the limit of time. When there is no answer the connection is given up: the line may be dead
    /// without anybody having said so.
    pub(crate) async fn call<T, Answer: Future<Output = RedisResult<T>>>(
        &self,
        doing: &'static str,
        call: impl FnOnce(ConnectionManager) -> Answer,
    ) -> Result<T, StoreError> {
        let Inner { options, address, .. } = &*self.inner;
        let (manager, generation) = {
            let manager = self.manager();
            (manager.clone(), self.inner.generation.load(Ordering::SeqCst))
        };
        match tokio::time::timeout(options.answer_timeout, call(manager)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) if error.is_timeout() => {
                self.give_up(generation);
                Err(failure(address, doing, error))
            }
            Ok(Err(error)) => Err(failure(address, doing, error)),
            Err(_) => {
                self.give_up(generation);
                Err(silent(address, doing, options.answer_timeout.as_millis()))
            }
        }
    }

    fn give_up(&self, generation: u64) {
        let mut current = self.manager();
        let is_mine = self.inner.generation.load(Ordering::SeqCst) == generation;
        if let (true, Ok(fresh)) = (is_mine, manager(&self.inner.client, &self.inner.options)) {
            *current = fresh;
            self.inner.generation.store(generation + 1, Ordering::SeqCst);
        }
    }

    fn manager(&self) -> MutexGuard<'_, ConnectionManager> {
        self.inner.manager.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Connects at the first call.
fn manager(client: &Client, options: &RedisOptions) -> RedisResult<ConnectionManager> {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(options.connect_timeout))
        .set_response_timeout(Some(options.answer_timeout))
        // Whoever calls next tries again.
        .set_number_of_retries(0);
    ConnectionManager::new_lazy_with_config(client.clone(), config)
}

fn silent(address: &str, doing: &'static str, milliseconds: u128) -> StoreError {
    StoreError::unavailable(doing, Silent { address: address.to_owned(), milliseconds })
}
