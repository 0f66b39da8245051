//! The work of a process that is under way at the same time.

use composable_rust_core::{StreamId, TimerId};
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::collections::BTreeMap;

/// Pieces of work, by their timers.
///
/// They move only while one of these methods is awaited. So whoever waits for anything else does it
/// [`beside`](Self::beside) them: one of them may have been handed what is waited for (the last connection, a lock),
/// and would never give it back.
#[derive(Default)]
pub(super) struct UnderWay<'w> {
    running: FuturesUnordered<BoxFuture<'w, TimerId>>,
    /// With the stream of those that keep the later ones of their instance waiting.
    busy: BTreeMap<TimerId, Option<StreamId>>,
    /// Whether what waits for its turn filled the last page of what is due.
    pub(super) is_crowded: bool,
}

impl<'w> UnderWay<'w> {
    pub(super) fn len(&self) -> usize {
        self.running.len()
    }

    /// What need not be looked up: what is under way, and while it is crowded all of the instances that wait for it.
    pub(super) fn to_skip(&self) -> (Vec<TimerId>, Vec<StreamId>) {
        let streams = self.busy.values().flatten().filter(|_| self.is_crowded);
        (self.busy.keys().copied().collect(), streams.cloned().collect())
    }

    /// Whether nothing keeps work of `stream` waiting.
    pub(super) fn is_free(&self, stream: Option<&StreamId>) -> bool {
        stream.is_none_or(|stream| self.busy.values().flatten().all(|busy| busy != stream))
    }

    pub(super) fn add(&mut self, timer: TimerId, orders: Option<StreamId>, work: BoxFuture<'w, TimerId>) {
        self.busy.insert(timer, orders);
        self.running.push(work);
    }

    /// Waits for `other`, and goes on meanwhile.
    pub(super) async fn beside<T>(&mut self, other: impl Future<Output = T>) -> T {
        tokio::pin!(other);
        loop {
            tokio::select! {
                biased;
                output = &mut other => return output,
                Some(done) = self.running.next() => { self.busy.remove(&done); }
            }
        }
    }

    /// Waits until some of it is done; for ever when there is none.
    pub(super) async fn some_done(&mut self) {
        match self.running.next().await {
            Some(done) => {
                self.busy.remove(&done);
            }
            None => std::future::pending().await,
        }
        while let Some(Some(done)) = futures_util::FutureExt::now_or_never(self.running.next()) {
            self.busy.remove(&done);
        }
    }

    /// Waits until all of it is done.
    pub(super) async fn all_done(mut self) {
        while self.running.next().await.is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use composable_rust_core::TimerId;
    use std::sync::Arc;
    use tokio::sync::Semaphore;
    use uuid::Uuid;

    #[tokio::test]
    async fn work_that_was_handed_the_last_connection_gives_it_back_while_another_is_waited_for() {
        let connections = Arc::new(Semaphore::new(1));
        let held = connections.acquire().await.unwrap();
        let mut under_way = UnderWay::default();
        let id = TimerId::from_uuid(Uuid::nil());
        let wanted = Arc::clone(&connections);
        under_way.add(
            id,
            None,
            Box::pin(async move {
                drop(wanted.acquire().await);
                id
            }),
        );
        // The work queues for the connection, and is handed it when nobody polls it.
        assert!(futures_util::FutureExt::now_or_never(under_way.some_done()).is_none());
        drop(held);

        drop(under_way.beside(connections.acquire()).await.unwrap());
        assert!(under_way.busy.is_empty());
    }
}
