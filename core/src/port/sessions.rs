//! The port of sessions: who is signed in, on which device, until when.
//!
//! Not here: tokens. A session is found by a digest of its token, so that nobody who reads the store can sign in.

use super::StoreError;
use crate::UserId;
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// Names a session: a digest of its token, as text of at most 128 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionKey(String);

impl SessionKey {
    /// Wraps a digest.
    pub fn new(digest: impl Into<String>) -> Self {
        Self(digest.into())
    }

    /// The digest.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its name.
    pub key: SessionKey,
    /// Who.
    pub user: UserId,
    /// With what, for the list that the user sees; at most 200 bytes are worth keeping.
    pub device: String,
    /// When it began, by the store's clock.
    pub created_at: Timestamp,
    /// When it was last used, as far as it was told.
    pub seen_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A session to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// Its name; no session had it before.
    pub key: SessionKey,
    /// Who.
    pub user: UserId,
    /// With what.
    pub device: String,
    /// How long it lasts from now.
    pub lifetime: Duration,
    /// How many the user may have, this one included; the oldest end. At least 1.
    pub most: u32,
    /// The session that this one takes the place of, if there is one: it ends in the same moment.
    pub replaces: Option<SessionKey>,
}

/// Keeps sessions.
///
/// # Contract
/// - A session is found from its beginning until it expires, is revoked, is replaced, or is the oldest of too many; by the
///   store's clock, to the millisecond.
/// - Beginning, replacing and ending the oldest are one step: a user never has more than `most`.
/// - Sessions of other users are not affected.
///
/// # Cancel safety
/// A dropped future has done its work or not.
#[async_trait]
pub trait Sessions: fmt::Debug + Send + Sync {
    /// Begins a session; answers it, and those that ended because they were too many, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`]; whether it began is unknown: begin another.
    async fn create(&self, session: NewSession) -> Result<(Session, Vec<SessionKey>), StoreError>;

    /// The session of this name, unless it has ended.
    ///
    /// # Errors
    /// [`StoreError`]: nobody knows who asks, so let nobody in.
    async fn find(&self, key: &SessionKey) -> Result<Option<Session>, StoreError>;

    /// The sessions of a user, the newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn of_user(&self, user: UserId) -> Result<Vec<Session>, StoreError>;

    /// It was used now. Whether there is such a session; its end stays.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn touch(&self, key: &SessionKey) -> Result<bool, StoreError>;

    /// Ends a session; whether there was one.
    ///
    /// # Errors
    /// [`StoreError`]; it may go on.
    async fn revoke(&self, key: &SessionKey) -> Result<bool, StoreError>;

    /// Ends all sessions of a user but `except`; how many.
    ///
    /// # Errors
    /// [`StoreError`]; they may go on.
    async fn revoke_all(&self, user: UserId, except: Option<&SessionKey>) -> Result<u64, StoreError>;
}
