//! Reading what a projection wrote: by key, by query, at a position.
//!
//! Not here: writing, which only the projection's runner does.

mod error;
mod query;
mod wait;

pub use error::{Behind, ViewError};
pub use query::{ViewPage, ViewQuery};

use crate::engine::{Live, ProjectionProgress, Shared, is_followed_here, progress};
use crate::{Dependencies, ProjectionOptions, subscription_name};
use composable_rust_core::port::{ReadModel, StoreError, StoredRow};
use composable_rust_core::{IntoKey, Position, Projection, Row};
use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How far a read model is behind the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// Events to go, at most: holes and events of other categories count too.
    pub events: u64,
    /// For how long the oldest of them has been in the log.
    pub time: Duration,
}

/// What a view shows, as far as its own instance knows without reading.
///
/// Rows that were read after this was asked stay as they are for as long as generation and changes do: then they are
/// what the view shows at each later position too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shows {
    /// The generation of the rows.
    pub generation: u32,
    /// Grows whenever a row may have changed, and not with events that the projection does not take.
    pub changes: u64,
    /// The rows show everything up to here.
    pub position: Position,
}

/// What names the rows of a projection.
type KeyOf<P> = <<P as Projection>::Row as Row>::Key;

/// The rows of a projection, for readers; cheap to clone.
///
/// After a command, [`Self::at_least_position`] with the position of its receipt gives a view that shows its effects.
pub struct View<P: Projection> {
    shared: Arc<Shared>,
    at_least: Option<(Position, Duration)>,
    projection: PhantomData<fn() -> P>,
}

impl<P: Projection> Clone for View<P> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), at_least: self.at_least, projection: PhantomData }
    }
}

impl<P: Projection> fmt::Debug for View<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View")
            .field("name", &P::NAME)
            .field("at_least", &self.at_least)
            .finish_non_exhaustive()
    }
}

impl<P: Projection> View<P> {
    /// A view of rows that nothing in this instance maintains, such as those that another application has written.
    pub fn detached(deps: Dependencies, options: ProjectionOptions) -> Self {
        Self::over(Arc::new(Shared::new::<P>(deps, options)))
    }

    pub(crate) fn over(shared: Arc<Shared>) -> Self {
        Self { shared, at_least: None, projection: PhantomData }
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// A view whose reads wait until the projection has reached `position`, for at most the projection's
    /// [`wait_timeout`](crate::ProjectionOptions::wait_timeout); then they answer [`ViewError::Behind`].
    #[must_use]
    pub fn at_least_position(&self, position: Position) -> Self {
        Self { at_least: Some((position, self.shared.options.wait_timeout)), ..self.clone() }
    }

    /// The row under `key`.
    ///
    /// # Errors
    /// [`ViewError`].
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn get(&self, key: impl IntoKey<KeyOf<P>>) -> Result<Option<P::Row>, ViewError> {
        self.get_with_position(key).await.map(|(row, _)| row)
    }

    /// The row under `key`, and the position that it shows.
    ///
    /// # Errors
    /// [`ViewError`].
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn get_with_position(
        &self,
        key: impl IntoKey<KeyOf<P>>,
    ) -> Result<(Option<P::Row>, Position), ViewError> {
        let key = P::Row::text_of(key.into_key());
        let views = &self.shared.deps.storage.views;
        let read = |model: ReadModel, subscription: String| -> Read<'_, _> {
            let key = key.as_str();
            Box::pin(async move { views.get(&model, &subscription, key).await })
        };
        let (live, row, position) = self.read(read).await?;
        Ok((row.map(|row| self.decode(&live, &row)).transpose()?, position))
    }

    /// A question over all rows: filters, order, page.
    pub fn query(&self) -> ViewQuery<P> {
        ViewQuery::new(self.clone())
    }

    /// What a read would show at least, told without one. Waits as a read does. `None` where this instance does not
    /// maintain the rows, so that only a read can tell.
    ///
    /// # Errors
    /// [`ViewError`].
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn shows(&self) -> Result<Option<Shows>, ViewError> {
        if let Some((position, patience)) = self.at_least {
            self.wait_until(position, self.shared.deps.environment.now(), patience).await?;
        }
        let Some(live) = self.shared.live().await? else {
            return Err(ViewError::NotBuilt { name: P::NAME });
        };
        let monitor = self.shared.monitor(live.generation).filter(is_followed_here);
        Ok(monitor.map(|monitor| {
            // The position first: changes are counted before it is announced, so none up to here is left out.
            let position = monitor.signal().position();
            let changes = self.shared.changes.load(Ordering::SeqCst);
            Shows { generation: live.generation, changes, position }
        }))
    }

    /// How far it is behind, as this instance knows; `None` when nothing maintains or watches it here.
    pub fn lag(&self) -> Option<Lag> {
        let live = self.progress().live?;
        Some(Lag { events: live.lag_events(), time: live.lag })
    }

    /// How far the projection has come.
    pub fn progress(&self) -> ProjectionProgress {
        progress(&self.shared)
    }

    /// Reads from the live generation, at or after the position wanted.
    async fn read<'a, T>(
        &'a self,
        read: impl Fn(ReadModel, String) -> Read<'a, T> + Send + Sync,
    ) -> Result<(Live, T, Position), ViewError> {
        let started_at = self.shared.deps.environment.now();
        loop {
            if let Some((position, patience)) = self.at_least {
                self.wait_until(position, started_at, patience).await?;
            }
            let Some(live) = self.shared.live().await? else {
                return Err(ViewError::NotBuilt { name: P::NAME });
            };
            // Whatever was announced before the read is in it, although its checkpoint may be saved later.
            let monitor = self.shared.monitor(live.generation);
            let announced = monitor.map_or(Position::ZERO, |monitor| monitor.signal().position());
            let subscription = subscription_name(P::NAME, live.generation);
            let (found, shown) = read(self.shared.model(live.generation), subscription).await?;
            let position = shown.max(announced);
            if self.at_least.is_none_or(|(wanted, _)| position >= wanted) {
                return Ok((live, found, position));
            }
        }
    }

    /// A row of another definition's generation may not fit: then there is none to show until the rebuild is done.
    fn decode<T: DeserializeOwned>(&self, live: &Live, row: &StoredRow) -> Result<T, ViewError> {
        serde_json::from_slice(&row.body).map_err(|source| {
            if live.definition == self.shared.definition {
                ViewError::Row { name: P::NAME, key: row.key.clone(), source }
            } else {
                ViewError::Rebuilding { name: P::NAME }
            }
        })
    }
}

/// A read under way, with the position that it shows.
type Read<'a, T> = BoxFuture<'a, Result<(T, Position), StoreError>>;
