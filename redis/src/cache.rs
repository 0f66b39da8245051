//! Cached reads that all instances share.
//!
//! A value is kept with the position that it was made at and the keys of its tags; a tag is kept as the position of its
//! newest change. Whether a value is stale is seen when it is read, so a change is one write, however many values it makes
//! stale.

use crate::connection::Redis;
use async_trait::async_trait;
use bytes::Bytes;
use composable_rust_core::port::{Cache, Cached, MAX_CACHE_KEEP, NewCached, StoreError};
use composable_rust_core::{Position, describe};
use redis::Script;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Positions as texts of one length, which compare as the numbers do: a double has not enough digits for them.
const DIGITS: usize = 19;

/// Answers the position and the value, unless a tag has changed since.
const GET: &str = r"
local kept = redis.call('HMGET', KEYS[1], 'position', 'value', 'tags')
if not kept[1] or not kept[2] then return false end
if kept[3] and kept[3] ~= '' then
  local tags = cjson.decode(kept[3])
  for _, changed in ipairs(redis.call('MGET', unpack(tags))) do
    if changed and changed > kept[1] then
      redis.call('DEL', KEYS[1])
      return false
    end
  end
end
return {kept[1], kept[2]}
";

/// Keeps a value: position, value, tags as JSON (or nothing), milliseconds.
const PUT: &str = r"
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'position', ARGV[1], 'value', ARGV[2], 'tags', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
";

/// Raises each tag to the position, and keeps it for longer than any value: position, milliseconds.
const INVALIDATE: &str = r"
for _, tag in ipairs(KEYS) do
  local before = redis.call('GET', tag)
  local newest = ARGV[1]
  if before and before > newest then newest = before end
  redis.call('SET', tag, newest, 'PX', ARGV[2])
end
";

/// Keeps values that can be made again, for all instances.
///
/// While Redis is away nothing is found and nothing is kept, after at most
/// [`RedisOptions::answer_timeout`](crate::RedisOptions::answer_timeout); the first such call is logged as a warning, and so
/// is the first that works again. What is invalidated meanwhile is lost, and told so: values may then be stale until their
/// time is over. The same holds when the server evicts keys of tags to make room (`maxmemory-policy`): keep values for
/// minutes, not for days. Larger values than
/// [`RedisOptions::max_value_bytes`](crate::RedisOptions::max_value_bytes) are not kept.
#[derive(Clone)]
pub struct RedisCache {
    redis: Redis,
    scripts: Arc<Scripts>,
    is_away: Arc<AtomicBool>,
}

struct Scripts {
    get: Script,
    put: Script,
    invalidate: Script,
}

impl RedisCache {
    pub(crate) fn new(redis: Redis) -> Self {
        let (get, put, invalidate) = (Script::new(GET), Script::new(PUT), Script::new(INVALIDATE));
        Self { redis, scripts: Arc::new(Scripts { get, put, invalidate }), is_away: Arc::default() }
    }

    fn value_key(&self, key: &str) -> String {
        self.redis.key("cached", key)
    }

    fn tag_key(&self, tag: &str) -> String {
        self.redis.key("changed", tag)
    }

    /// What an answer is worth to somebody who can do without: nothing while Redis is away.
    fn or_nothing<T>(&self, answer: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        match answer {
            Ok(answer) => {
                if self.is_away.swap(false, Ordering::Relaxed) {
                    tracing::info!("reads are cached again");
                }
                Ok(Some(answer))
            }
            Err(error) if error.is_transient() => {
                if !self.is_away.swap(true, Ordering::Relaxed) {
                    tracing::warn!(error = describe(&error), "reads are not cached");
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

impl fmt::Debug for RedisCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisCache").field("redis", &self.redis).finish_non_exhaustive()
    }
}

#[async_trait]
impl Cache for RedisCache {
    async fn get(&self, key: &str) -> Result<Option<Cached>, StoreError> {
        let key = self.value_key(key);
        let asked =
            self.redis.run::<Option<(String, Vec<u8>)>>("read the cache", &self.scripts.get, |script| {
                script.key(key);
            });
        let Some((position, value)) = self.or_nothing(asked.await)?.flatten() else { return Ok(None) };
        let position = position.parse().ok().and_then(|number: u64| Position::try_from(number).ok());
        Ok(position.map(|position| Cached { value: Bytes::from(value), position }))
    }

    async fn put(&self, value: NewCached<'_>) -> Result<(), StoreError> {
        if value.value.len() > self.redis.options().max_value_bytes {
            return Ok(());
        }
        let key = self.value_key(value.key);
        let tags: Vec<_> = value.tags.iter().map(|tag| self.tag_key(tag)).collect();
        let tags = if tags.is_empty() { String::new() } else { serde_json::json!(tags).to_string() };
        let keep = value.keep.min(MAX_CACHE_KEEP).as_millis().max(1);
        let put = self.redis.run::<()>("write to the cache", &self.scripts.put, |script| {
            script.key(key).arg(text(value.position)).arg(&value.value[..]).arg(tags).arg(keep.to_string());
        });
        self.or_nothing(put.await).map(|_| ())
    }

    async fn invalidate(&self, tags: &[&str], position: Position) -> Result<(), StoreError> {
        if tags.is_empty() {
            return Ok(());
        }
        let keys: Vec<_> = tags.iter().map(|tag| self.tag_key(tag)).collect();
        let keep = (MAX_CACHE_KEEP * 2).as_millis();
        self.redis
            .run("invalidate what is cached", &self.scripts.invalidate, |script| {
                for key in keys {
                    script.key(key);
                }
                script.arg(text(position)).arg(keep.to_string());
            })
            .await
    }

    async fn remove(&self, key: &str) -> Result<(), StoreError> {
        let mut command = redis::cmd("DEL");
        command.arg(self.value_key(key));
        self.redis
            .call("remove from the cache", async |mut connection| command.query_async(&mut connection).await)
            .await
    }
}

fn text(position: Position) -> String {
    format!("{:0DIGITS$}", position.get())
}
