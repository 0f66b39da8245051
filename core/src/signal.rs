//! The in-process wake-up of everything that follows the log.

use crate::Position;
use event_listener::Event;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Announces how far something has come, and lets others wait for it. Cheap to clone.
///
/// A store announces its newest readable position, a projection its checkpoint. An announcement is a hint that
/// wakes readers; what they may read is decided by the store.
#[derive(Debug, Clone, Default)]
pub struct Signal {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    position: AtomicU64,
    moved: Event,
}

impl Signal {
    /// A signal that stands at `position`.
    pub fn at(position: Position) -> Self {
        let signal = Self::default();
        signal.inner.position.store(position.get(), Ordering::SeqCst);
        signal
    }

    /// The newest position announced.
    pub fn position(&self) -> Position {
        Position::MAX.min(Position::ZERO.plus(self.inner.position.load(Ordering::SeqCst)))
    }

    /// Announces `position`; a lower one than before changes nothing.
    pub fn advance(&self, position: Position) {
        if self.inner.position.fetch_max(position.get(), Ordering::SeqCst) < position.get() {
            self.inner.moved.notify(usize::MAX);
        }
    }

    /// Completes when `position` or more has been announced.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn reached(&self, position: Position) {
        loop {
            if self.position() >= position {
                return;
            }
            let moved = self.inner.moved.listen();
            if self.position() >= position {
                return;
            }
            moved.await;
        }
    }
}
