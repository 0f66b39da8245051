//! Sessions that all instances share.
//!
//! A session is one value that expires by itself; a user's sessions are an index in the order of their beginning, which
//! forgets what is over when it is looked at.

use crate::connection::Redis;
use async_trait::async_trait;
use composable_rust_core::UserId;
use composable_rust_core::port::{NewSession, Session, SessionKey, Sessions, StoreError};
use jiff::Timestamp;
use redis::Script;
use std::fmt;
use std::sync::Arc;

/// What several scripts begin with: the server's time in milliseconds, the key of a session, and the sessions of the index
/// that go on, the oldest first.
const COMMON: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function of(key) return ARGV[1] .. key end
local function going(index)
  local going = {}
  for _, key in ipairs(redis.call('ZRANGE', index, 0, -1)) do
    if redis.call('EXISTS', of(key)) == 1 then going[#going + 1] = key else redis.call('ZREM', index, key) end
  end
  return going
end
";

/// Begins a session. Keys: index, counter. Arguments: prefix, key, user, device, lifetime in milliseconds, most, replaced
/// or nothing. Answers the time, then the keys that ended.
const CREATE: &str = r"
if ARGV[7] ~= '' and redis.call('ZREM', KEYS[1], ARGV[7]) == 1 then redis.call('DEL', of(ARGV[7])) end
local going, ended = going(KEYS[1]), {}
for at = 1, #going + 1 - tonumber(ARGV[6]) do
  ended[#ended + 1] = going[at]
  redis.call('DEL', of(going[at]))
  redis.call('ZREM', KEYS[1], going[at])
end
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
local place = (tonumber(last[2]) or 0) + 1
redis.call('HSET', of(ARGV[2]), 'user', ARGV[3], 'device', ARGV[4], 'created', now, 'seen', now, 'expires', now + ARGV[5])
redis.call('PEXPIREAT', of(ARGV[2]), now + ARGV[5])
redis.call('ZADD', KEYS[1], place, ARGV[2])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[5]) then redis.call('PEXPIRE', KEYS[1], ARGV[5]) end
return {tostring(now), ended}
";

/// A session: user, device, created, seen, expires, the times as texts.
const FIND: &str = r"
return redis.call('HMGET', KEYS[1], 'user', 'device', 'created', 'seen', 'expires')
";

/// The sessions of an index, each with its key. Keys: index. Arguments: prefix.
const OF_USER: &str = r"
local sessions = {}
for _, key in ipairs(going(KEYS[1])) do
  local kept = redis.call('HMGET', of(key), 'user', 'device', 'created', 'seen', 'expires')
  table.insert(sessions, 1, {key, unpack(kept)})
end
return sessions
";

/// Notes that a session was used. Keys: session. Arguments: prefix.
const TOUCH: &str = r"
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'seen', now)
return 1
";

/// Ends the sessions of an index but one. Keys: index. Arguments: prefix, the one or nothing.
const REVOKE_ALL: &str = r"
local count = 0
for _, key in ipairs(going(KEYS[1])) do
  if key ~= ARGV[2] then
    redis.call('DEL', of(key))
    redis.call('ZREM', KEYS[1], key)
    count = count + 1
  end
end
return count
";

/// Keeps sessions for all instances.
///
/// While Redis is away every call fails within
/// [`RedisOptions::answer_timeout`](crate::RedisOptions::answer_timeout): nobody knows who asks, so nobody is let in. How
/// long sessions outlive a crash of the server is a setting of the server (`appendonly`); what is lost signs people out. A
/// server that evicts keys to make room (`maxmemory-policy`) signs them out too.
#[derive(Clone)]
pub struct RedisSessions {
    redis: Redis,
    scripts: Arc<Scripts>,
}

struct Scripts {
    create: Script,
    find: Script,
    of_user: Script,
    touch: Script,
    revoke_all: Script,
}

/// User, device, created, seen, expires.
type Row = (Option<String>, Option<String>, Option<String>, Option<String>, Option<String>);

impl RedisSessions {
    pub(crate) fn new(redis: Redis) -> Self {
        let script = |own: &str| Script::new(&format!("{COMMON}{own}"));
        let scripts = Scripts {
            create: script(CREATE),
            find: Script::new(FIND),
            of_user: script(OF_USER),
            touch: script(TOUCH),
            revoke_all: script(REVOKE_ALL),
        };
        Self { redis, scripts: Arc::new(scripts) }
    }

    fn session_key(&self, key: &SessionKey) -> String {
        self.redis.key("session", key.as_str())
    }

    /// Before the names of sessions.
    fn prefix(&self) -> String {
        self.redis.key("session", "")
    }

    fn index(&self, user: UserId) -> String {
        self.redis.key("sessions", &user.to_string())
    }
}

impl fmt::Debug for RedisSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSessions").field("redis", &self.redis).finish_non_exhaustive()
    }
}

#[async_trait]
impl Sessions for RedisSessions {
    async fn create(&self, session: NewSession) -> Result<(Session, Vec<SessionKey>), StoreError> {
        let lifetime = i64::try_from(session.lifetime.as_millis()).unwrap_or(i64::MAX / 4).max(1);
        let (now, ended): (i64, Vec<String>) = self
            .redis
            .run("begin a session", &self.scripts.create, |script| {
                script
                    .key(self.index(session.user))
                    .arg(self.prefix())
                    .arg(session.key.as_str())
                    .arg(session.user.to_string())
                    .arg(&session.device)
                    .arg(lifetime.to_string())
                    .arg(session.most.max(1))
                    .arg(session.replaces.as_ref().map_or("", SessionKey::as_str));
            })
            .await?;
        let created_at = time(now)?;
        let begun = Session {
            key: session.key,
            user: session.user,
            device: session.device,
            created_at,
            seen_at: created_at,
            expires_at: time(now.saturating_add(lifetime))?,
        };
        Ok((begun, ended.into_iter().map(SessionKey::new).collect()))
    }

    async fn find(&self, key: &SessionKey) -> Result<Option<Session>, StoreError> {
        let name = self.session_key(key);
        let row = self.redis.run("find a session", &self.scripts.find, |script| {
            script.key(name);
        });
        session(key.clone(), row.await?)
    }

    async fn of_user(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        let rows: Vec<(String, String, String, String, String, String)> = self
            .redis
            .run("list sessions", &self.scripts.of_user, |script| {
                script.key(self.index(user)).arg(self.prefix());
            })
            .await?;
        let read = |(key, user, device, created, seen, expires): (String, _, _, _, _, _)| {
            let row = (Some(user), Some(device), Some(created), Some(seen), Some(expires));
            session(SessionKey::new(key), row).transpose()
        };
        rows.into_iter().filter_map(read).collect()
    }

    async fn touch(&self, key: &SessionKey) -> Result<bool, StoreError> {
        let name = self.session_key(key);
        let touched = self.redis.run::<u8>("touch a session", &self.scripts.touch, |script| {
            script.key(name).arg(self.prefix());
        });
        Ok(touched.await? == 1)
    }

    async fn revoke(&self, key: &SessionKey) -> Result<bool, StoreError> {
        // The index forgets it by itself.
        let mut command = redis::cmd("DEL");
        command.arg(self.session_key(key));
        let removed = self.redis.call("revoke a session", async |mut connection| {
            command.query_async::<u64>(&mut connection).await
        });
        Ok(removed.await? == 1)
    }

    async fn revoke_all(&self, user: UserId, except: Option<&SessionKey>) -> Result<u64, StoreError> {
        let revoking = self.redis.run("revoke sessions", &self.scripts.revoke_all, |script| {
            script.key(self.index(user)).arg(self.prefix()).arg(except.map_or("", SessionKey::as_str));
        });
        revoking.await
    }
}

fn session(key: SessionKey, row: Row) -> Result<Option<Session>, StoreError> {
    let (Some(user), Some(device), Some(created), Some(seen), Some(expires)) = row else { return Ok(None) };
    let damaged = || StoreError::Corrupt("a session in Redis has no user or no times".to_owned());
    let at = |text: String| time(text.parse().map_err(|_| damaged())?);
    let user = user.parse().map_err(|_| damaged())?;
    let (created_at, seen_at, expires_at) = (at(created)?, at(seen)?, at(expires)?);
    Ok(Some(Session { key, user, device, created_at, seen_at, expires_at }))
}

fn time(milliseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(milliseconds)
        .map_err(|_| StoreError::InvalidRequest("a session cannot last that long".to_owned()))
}
