//! Where a life ends: after a number of polls, that is, between any two awaits of any task.

use event_listener::Event;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

/// Counts the polls of all tasks of a life. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Fuse {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    left: AtomicU64,
    polls: AtomicU64,
    blown: Event,
}

impl Fuse {
    /// Blows after `polls` polls; `None` never does.
    pub(super) fn new(polls: Option<u64>) -> Self {
        let left = AtomicU64::new(polls.unwrap_or(u64::MAX));
        Self { inner: Arc::new(Inner { left, polls: AtomicU64::new(0), blown: Event::new() }) }
    }

    pub(super) fn is_blown(&self) -> bool {
        self.inner.left.load(Ordering::SeqCst) == 0
    }

    /// How many polls there were.
    pub(super) fn polls(&self) -> u64 {
        self.inner.polls.load(Ordering::SeqCst)
    }

    /// Completes when the fuse has blown.
    pub(super) async fn blown(&self) {
        loop {
            let blown = self.inner.blown.listen();
            if self.is_blown() {
                return;
            }
            blown.await;
        }
    }

    fn burn(&self) -> bool {
        if self.is_blown() {
            return false;
        }
        self.inner.polls.fetch_add(1, Ordering::SeqCst);
        if self.inner.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.inner.blown.notify(usize::MAX);
            return false;
        }
        true
    }

    /// `future`, which is never polled again once the fuse has blown.
    pub(super) fn guard<F: Future>(&self, future: F) -> Guarded<F> {
        Guarded { future: Box::pin(future), fuse: self.clone() }
    }
}

/// A future of one life.
pub(super) struct Guarded<F> {
    future: Pin<Box<F>>,
    fuse: Fuse,
}

impl<F: Future> Future for Guarded<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        if self.fuse.burn() { self.future.as_mut().poll(context) } else { Poll::Pending }
    }
}
