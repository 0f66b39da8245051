//! Notices within one process: told to whoever listens now, at most once.

use super::Observer;
use async_trait::async_trait;
use composable_rust_core::effect::{Notice, Notifier};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use tokio::sync::broadcast;

/// Tells notices to the listeners of this process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Notices {
    sender: broadcast::Sender<Notice>,
    listeners: Arc<AtomicUsize>,
}

impl Notices {
    /// Keeps up to `buffer` notices for each listener; one that is further behind has lagged.
    pub fn new(buffer: usize) -> Self {
        Self { sender: broadcast::Sender::new(buffer.max(1)), listeners: Arc::default() }
    }

    /// Listens to all notices from now on.
    pub fn listen(&self) -> Observer<Notice> {
        Observer::new(self.sender.subscribe(), &self.listeners)
    }
}

#[async_trait]
impl Notifier for Notices {
    async fn notify(&self, notice: Notice) {
        // Nobody listening is no failure.
        drop(self.sender.send(notice));
    }
}
