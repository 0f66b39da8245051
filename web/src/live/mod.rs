//! What clients follow while it changes: topics, looked at once for everybody who follows them.
//!
//! A [`Topic`] says who may follow what, and how to look at it. Each key that somebody follows is one feed (`feed.rs`),
//! which looks again when rows of its view have changed. A follower holds no queue: it is given what is newest when it
//! can take it, so a slow one misses steps and never the end. Here are server-sent events; sockets are in `ws/`.

mod events;
mod feed;
mod options;
mod slots;
mod topic;

pub use events::{EventStream, Follow};
pub use options::LiveOptions;
pub use topic::{Picture, Topic};

pub(crate) use feed::{Change, Follower};
pub(crate) use slots::{Kind, Slot};

use composable_rust_core::Clock;
use feed::Feeds;
use slots::Slots;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Everything live of one HTTP service; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    pub(crate) options: Arc<LiveOptions>,
    pub(crate) slots: Slots,
    pub(crate) feeds: Feeds,
    /// Sockets that have left the HTTP connection they came by.
    pub(crate) sockets: TaskTracker,
    /// Cancelled when the service stops: then streams end and sockets are closed.
    pub(crate) ending: CancellationToken,
}

impl Live {
    pub(crate) fn new(options: LiveOptions) -> Self {
        Self {
            options: Arc::new(options),
            slots: Slots::default(),
            feeds: Feeds::default(),
            sockets: TaskTracker::new(),
            ending: CancellationToken::new(),
        }
    }

    /// Ends every stream and tells every socket.
    pub(crate) fn end(&self) {
        self.ending.cancel();
        self.sockets.close();
    }

    /// Completes when no follower goes on: at the service's end, or when one has been there for its longest time.
    pub(crate) fn over(&self, clock: &dyn Clock) -> impl Future<Output = ()> + Send + use<> {
        let (ending, longest) = (self.ending.clone(), clock.sleep(self.options.max_age));
        async move {
            ending.run_until_cancelled(longest).await;
        }
    }
}
