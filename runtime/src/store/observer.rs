//! Following what a store does: bounded, in order, and honest about what was missed.

use super::ObserveError;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// Receives items in the order in which they happened.
#[derive(Debug)]
pub struct Observer<T> {
    receiver: broadcast::Receiver<T>,
    watching: Watching,
}

impl<T: Clone> Observer<T> {
    pub(crate) fn new(receiver: broadcast::Receiver<T>, observers: &Arc<AtomicUsize>) -> Self {
        Self { receiver, watching: Watching::new(observers) }
    }

    /// The next item.
    ///
    /// # Errors
    /// [`ObserveError::Lagged`] when items were skipped (call again for what follows), [`ObserveError::Closed`] after
    /// the last one.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Result<T, ObserveError> {
        debug_assert!(self.watching.count() > 0, "an observer counts itself");
        self.receiver.recv().await.map_err(|error| match error {
            RecvError::Lagged(missed) => ObserveError::Lagged { missed },
            RecvError::Closed => ObserveError::Closed,
        })
    }
}

/// Counts one watcher for as long as it lives, so that nobody pays for watching that nobody does.
#[derive(Debug)]
pub(crate) struct Watching(Arc<AtomicUsize>);

impl Watching {
    pub(crate) fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }

    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
