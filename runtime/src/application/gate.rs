//! Lets commands in until the application drains, and waits until the last one has left.

use event_listener::Event;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Counts who is inside; closing it refuses newcomers. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gate {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    closed: AtomicBool,
    inside: AtomicUsize,
    left: Event,
}

/// Proof of being inside.
#[derive(Debug)]
pub(crate) struct Inside(Arc<Inner>);

impl Gate {
    /// Goes in; `None` once closed.
    pub(crate) fn enter(&self) -> Option<Inside> {
        self.inner.inside.fetch_add(1, Ordering::SeqCst);
        let inside = Inside(Arc::clone(&self.inner));
        if self.is_closed() { None } else { Some(inside) }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.inner.closed.load(Ordering::SeqCst)
    }

    pub(crate) fn close(&self) {
        self.inner.closed.store(true, Ordering::SeqCst);
    }

    /// Completes when nobody is inside.
    pub(crate) async fn emptied(&self) {
        loop {
            let left = self.inner.left.listen();
            if self.inner.inside.load(Ordering::SeqCst) == 0 {
                return;
            }
            left.await;
        }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        if self.0.inside.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.left.notify(usize::MAX);
        }
    }
}
