//! Cached states of aggregates and process instances, one slot for each stream.
//!
//! A slot's state may be ahead of the store: it has evolved by events that are queued in the group committer. Its
//! chain tells when such an event failed; the state is then loaded again. The cache is never trusted over the version
//! check of the append.

use super::chain::Chain;
use super::error::Failure;
use composable_rust_core::{StreamId, StreamVersion};
use lru::LruCache;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OwnedMutexGuard;

/// A state at a version.
#[derive(Debug)]
pub(crate) struct Slot<S> {
    pub(crate) state: S,
    pub(crate) version: StreamVersion,
    pub(crate) chain: Arc<Chain>,
}

impl<S> Slot<S> {
    pub(crate) fn new(state: S, version: StreamVersion) -> Self {
        Self { state, version, chain: Arc::default() }
    }
}

/// A locked slot; `None` until it has been loaded.
pub(crate) type SlotGuard<S> = OwnedMutexGuard<Option<Slot<S>>>;

type Cell<S> = Arc<tokio::sync::Mutex<Option<Slot<S>>>>;

/// The least recently used slots are dropped beyond a number of streams.
#[derive(Debug)]
pub(crate) struct Slots<S> {
    cells: Mutex<LruCache<StreamId, Cell<S>>>,
}

impl<S: Send + 'static> Slots<S> {
    pub(crate) fn new(capacity: usize) -> Self {
        let capacity = NonZeroUsize::new(capacity).unwrap_or(NonZeroUsize::MIN);
        Self { cells: Mutex::new(LruCache::new(capacity)) }
    }

    /// Locks the slot of `stream`, and loads it where it is empty or its chain is broken.
    pub(crate) async fn enter<F>(&self, stream: &StreamId, load: F) -> Result<SlotGuard<S>, Failure>
    where
        F: Future<Output = Result<Slot<S>, Failure>> + Send,
    {
        let mut guard = self.cell(stream).lock_owned().await;
        if guard.as_ref().is_none_or(|slot| slot.chain.is_broken()) {
            *guard = None;
            *guard = Some(load.await?);
        }
        Ok(guard)
    }

    /// Loads the slot of `stream` where it is empty, unless somebody else has it at the moment.
    pub(crate) async fn warm<F>(&self, stream: &StreamId, load: F) -> Result<(), Failure>
    where
        F: Future<Output = Result<Slot<S>, Failure>> + Send,
    {
        if let Ok(mut guard) = self.cell(stream).try_lock_owned()
            && guard.is_none()
        {
            *guard = Some(load.await?);
        }
        Ok(())
    }

    fn cell(&self, stream: &StreamId) -> Cell<S> {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(cells.get_or_insert_ref(stream, Cell::default))
    }
}
