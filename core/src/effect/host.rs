//! What carries out the effects that need storage or another aggregate. The runtime implements it.

use super::{
    AppendEvents, CancelTimer, DispatchCommand, LoadEvents, LoadSnapshot, Notice, SaveSnapshot, ScheduleTimer,
};
use crate::port::{AppendError, Appended, Snapshot, StoreError};
use crate::{Position, RecordedEvent, StreamVersion};
use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::error::Error;
use std::fmt;

/// Carries out effects for a store.
///
/// # Contract
/// Each method is called once for each effect.
///
/// # Cancel safety
/// Futures may be dropped at any time; an append then happens whole or not at all.
#[async_trait]
pub trait EffectHost: fmt::Debug + Send + Sync {
    /// Appends events.
    ///
    /// # Errors
    /// As [`EventStore::append`](crate::port::EventStore::append); events that cannot be encoded are an
    /// [`StoreError::InvalidRequest`].
    async fn append(&self, request: AppendEvents) -> Result<Appended, AppendError>;

    /// Reads events.
    ///
    /// # Errors
    /// When the store failed.
    async fn load(&self, request: LoadEvents) -> Result<Vec<RecordedEvent>, StoreError>;

    /// Saves a snapshot.
    ///
    /// # Errors
    /// When the store failed; a state that cannot be encoded is an [`StoreError::InvalidRequest`].
    async fn save_snapshot(&self, request: SaveSnapshot) -> Result<(), StoreError>;

    /// Loads a snapshot.
    ///
    /// # Errors
    /// When the store failed.
    async fn load_snapshot(&self, request: LoadSnapshot) -> Result<Option<Snapshot>, StoreError>;

    /// Tells whoever listens now; nobody may.
    async fn notify(&self, notice: Notice);

    /// Executes a command.
    ///
    /// # Errors
    /// See [`DispatchError`].
    async fn dispatch(&self, request: DispatchCommand) -> Result<Dispatched, DispatchError>;

    /// Sets a timer.
    ///
    /// # Errors
    /// When the store failed.
    async fn schedule_timer(&self, request: ScheduleTimer) -> Result<(), AppendError>;

    /// Removes a timer.
    ///
    /// # Errors
    /// When the store failed.
    async fn cancel_timer(&self, request: CancelTimer) -> Result<(), AppendError>;
}

/// Executes commands by category; the application's registry of deciders implements it.
///
/// # Cancel safety
/// A command whose future is dropped is carried out whole or not at all; one under an id may be given again.
#[async_trait]
pub trait Dispatcher: fmt::Debug + Send + Sync {
    /// Executes a command, under its id where it has one.
    ///
    /// # Errors
    /// See [`DispatchError`].
    async fn dispatch(&self, request: DispatchCommand) -> Result<Dispatched, DispatchError>;
}

/// A command was accepted and its events are durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dispatched {
    /// The aggregate's version after it.
    pub version: StreamVersion,
    /// The position of its last event.
    pub position: Position,
}

/// Why a dispatched command had no effect, or may have had none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DispatchError<R = Value> {
    /// The aggregate refused it. An answer, not a failure: do not repeat it.
    #[error("the command was refused")]
    Rejected(R),
    /// It was not executed, or whether it was is unknown. Repeat it only under the same command id.
    #[error("the command could not be executed")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}

impl DispatchError {
    /// With the refusal as the decider's own type.
    #[must_use]
    pub fn typed<R: DeserializeOwned>(self) -> DispatchError<R> {
        match self {
            Self::Rejected(value) => match serde_json::from_value(value) {
                Ok(rejection) => DispatchError::Rejected(rejection),
                Err(error) => DispatchError::Failed(error.into()),
            },
            Self::Failed(error) => DispatchError::Failed(error),
        }
    }
}

/// The host of a store that has no storage: every request fails and says so, notices are dropped.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoHost;

impl NoHost {
    fn error() -> StoreError {
        StoreError::InvalidRequest("this store has no effect host; start it with one".to_owned())
    }
}

#[async_trait]
impl EffectHost for NoHost {
    async fn append(&self, _: AppendEvents) -> Result<Appended, AppendError> {
        Err(Self::error().into())
    }

    async fn load(&self, _: LoadEvents) -> Result<Vec<RecordedEvent>, StoreError> {
        Err(Self::error())
    }

    async fn save_snapshot(&self, _: SaveSnapshot) -> Result<(), StoreError> {
        Err(Self::error())
    }

    async fn load_snapshot(&self, _: LoadSnapshot) -> Result<Option<Snapshot>, StoreError> {
        Err(Self::error())
    }

    async fn notify(&self, _: Notice) {}

    async fn dispatch(&self, _: DispatchCommand) -> Result<Dispatched, DispatchError> {
        Err(DispatchError::Failed(Self::error().into()))
    }

    async fn schedule_timer(&self, _: ScheduleTimer) -> Result<(), AppendError> {
        Err(Self::error().into())
    }

    async fn cancel_timer(&self, _: CancelTimer) -> Result<(), AppendError> {
        Err(Self::error().into())
    }
}
