//! Sessions of an application that runs as one process; they end with it.
//!
//! Not here: tokens and cookies, which belong to whoever signs people in.

use async_trait::async_trait;
use composable_rust_core::port::{NewSession, Session, SessionKey, Sessions, StoreError};
use composable_rust_core::{Clock, UserId, later};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Keeps sessions in memory. Those that are over are cleared away when their user begins another, and all of them after
/// each thousandth beginning.
pub struct InProcessSessions {
    clock: Arc<dyn Clock>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    by_key: BTreeMap<SessionKey, Session>,
    /// Of each user, the oldest first.
    by_user: BTreeMap<UserId, Vec<SessionKey>>,
    begun: u64,
}

impl InProcessSessions {
    /// Nobody is signed in.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, kept: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for InProcessSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcessSessions").finish_non_exhaustive()
    }
}

#[async_trait]
impl Sessions for InProcessSessions {
    async fn create(&self, session: NewSession) -> Result<(Session, Vec<SessionKey>), StoreError> {
        let now = self.clock.now();
        let mut kept = self.lock();
        kept.begun += 1;
        if kept.begun.is_multiple_of(1_000) {
            kept.clear_all(now);
        }
        kept.clear(session.user, now);
        if let Some(replaced) = &session.replaces
            && kept.by_key.get(replaced).is_some_and(|replaced| replaced.user == session.user)
        {
            kept.remove(replaced);
        }
        let most = session.most.max(1) as usize;
        let own = kept.by_user.entry(session.user).or_default();
        let too_many = (own.len() + 1).saturating_sub(most);
        let ended: Vec<_> = own.iter().take(too_many).cloned().collect();
        for key in &ended {
            kept.remove(key);
        }
        let begun = Session {
            key: session.key,
            user: session.user,
            device: session.device,
            created_at: now,
            seen_at: now,
            expires_at: later(now, session.lifetime),
        };
        kept.by_user.entry(begun.user).or_default().push(begun.key.clone());
        kept.by_key.insert(begun.key.clone(), begun.clone());
        Ok((begun, ended))
    }

    async fn find(&self, key: &SessionKey) -> Result<Option<Session>, StoreError> {
        let now = self.clock.now();
        Ok(self.lock().by_key.get(key).filter(|session| session.expires_at > now).cloned())
    }

    async fn of_user(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        let mut kept = self.lock();
        kept.clear(user, self.clock.now());
        let own = kept.by_user.get(&user).into_iter().flatten().rev();
        Ok(own.filter_map(|key| kept.by_key.get(key).cloned()).collect())
    }

    async fn touch(&self, key: &SessionKey) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let mut kept = self.lock();
        let session = kept.by_key.get_mut(key).filter(|session| session.expires_at > now);
        Ok(session.map(|session| session.seen_at = now).is_some())
    }

    async fn revoke(&self, key: &SessionKey) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let mut kept = self.lock();
        let was_there = kept.by_key.get(key).is_some_and(|session| session.expires_at > now);
        kept.remove(key);
        Ok(was_there)
    }

    async fn revoke_all(&self, user: UserId, except: Option<&SessionKey>) -> Result<u64, StoreError> {
        let mut kept = self.lock();
        kept.clear(user, self.clock.now());
        let own = kept.by_user.get(&user).cloned().unwrap_or_default();
        let ended: Vec<_> = own.iter().filter(|key| Some(*key) != except).collect();
        for key in &ended {
            kept.remove(key);
        }
        Ok(ended.len() as u64)
    }
}

impl Kept {
    fn remove(&mut self, key: &SessionKey) {
        let Some(gone) = self.by_key.remove(key) else { return };
        if let Some(own) = self.by_user.get_mut(&gone.user) {
            own.retain(|own| own != key);
            if own.is_empty() {
                self.by_user.remove(&gone.user);
            }
        }
    }

    /// Forgets a user's sessions that are over.
    fn clear(&mut self, user: UserId, now: Timestamp) {
        for key in self.by_user.get(&user).cloned().unwrap_or_default() {
            if self.by_key.get(&key).is_some_and(|session| session.expires_at <= now) {
                self.remove(&key);
            }
        }
    }

    fn clear_all(&mut self, now: Timestamp) {
        let over = self.by_key.values().filter(|session| session.expires_at <= now);
        let over: Vec<_> = over.map(|session| session.key.clone()).collect();
        for key in &over {
            self.remove(key);
        }
    }
}
