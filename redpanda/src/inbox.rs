//! What a member of a group has received ahead of its reader, within limits, and which partitions are its own.
//!
//! One thread puts messages in (`poller.rs`), one task takes them out (`member.rs`).

use composable_rust_core::port::{BusError, Delivery};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// A topic, as the application calls it, and the number of one of its partitions.
pub(crate) type PartitionKey = (String, u32);

/// Messages in the order of their arrival.
#[derive(Debug)]
pub(crate) struct Inbox {
    most_messages: usize,
    most_bytes: usize,
    state: Mutex<State>,
    /// Something can be taken, or nothing will come any more.
    arrived: Notify,
    /// Something was taken, or nothing is wanted any more.
    room: Condvar,
}

#[derive(Debug, Default)]
struct State {
    ready: VecDeque<Result<Delivery, BusError>>,
    bytes: usize,
    /// Up to where each partition of ours was committed.
    owned: BTreeMap<PartitionKey, u64>,
    failure: Option<BusError>,
    is_closed: bool,
}

impl Inbox {
    pub(crate) fn new(most_messages: usize, most_bytes: usize) -> Self {
        Self {
            most_messages: most_messages.max(1),
            most_bytes: most_bytes.max(1),
            state: Mutex::default(),
            arrived: Notify::new(),
            room: Condvar::new(),
        }
    }

    /// Takes what is there, at most `limit`; waits for it if there is nothing.
    ///
    /// # Errors
    /// What was received and cannot be read, or why nothing is received.
    ///
    /// # Cancel safety
    /// Nothing is taken before the future is done.
    pub(crate) async fn take(&self, limit: usize) -> Result<Vec<Delivery>, BusError> {
        loop {
            let arrived = self.arrived.notified();
            if let Some(taken) = self.try_take(limit) {
                return taken;
            }
            arrived.await;
        }
    }

    fn try_take(&self, limit: usize) -> Option<Result<Vec<Delivery>, BusError>> {
        let mut state = self.lock();
        let mut taken = Vec::new();
        while taken.len() < limit {
            match state.ready.pop_front() {
                Some(Ok(delivery)) => {
                    state.bytes -= delivery.message.event.content_bytes();
                    taken.push(delivery);
                }
                Some(Err(unreadable)) if taken.is_empty() => {
                    self.room.notify_one();
                    return Some(Err(unreadable));
                }
                Some(Err(unreadable)) => {
                    state.ready.push_front(Err(unreadable));
                    break;
                }
                None => break,
            }
        }
        self.room.notify_one();
        if !taken.is_empty() || limit == 0 {
            return Some(Ok(taken));
        }
        let failure = state.failure.take();
        failure.or_else(|| state.is_closed.then_some(BusError::Closed)).map(Err)
    }

    /// Adds what has come.
    pub(crate) fn put(&self, received: Result<Delivery, BusError>) {
        let mut state = self.lock();
        if let Ok(delivery) = &received {
            state.bytes += delivery.message.event.content_bytes();
        }
        state.ready.push_back(received);
        drop(state);
        self.arrived.notify_waiters();
    }

    /// Tells the reader once why nothing comes.
    pub(crate) fn fail(&self, failure: BusError) {
        self.lock().failure = Some(failure);
        self.arrived.notify_waiters();
    }

    /// Waits at most so long for room; answers whether there is some.
    pub(crate) fn wait_for_room(&self, patience: Duration) -> bool {
        let is_full = |state: &mut State| {
            let full = state.ready.len() >= self.most_messages || state.bytes >= self.most_bytes;
            full && !state.is_closed
        };
        let waited = self.room.wait_timeout_while(self.lock(), patience, is_full);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// A partition is ours.
    pub(crate) fn own(&self, partition: PartitionKey) {
        self.lock().owned.insert(partition, 0);
    }

    /// A partition is no longer ours: whoever has it now gets what was not committed.
    pub(crate) fn disown(&self, partition: &PartitionKey) {
        let mut state = self.lock();
        state.owned.remove(partition);
        let is_others = |received: &Result<Delivery, BusError>| match received {
            Ok(delivery) => delivery.partition != partition.1 || delivery.message.topic != partition.0,
            Err(BusError::Malformed { topic, partition: number, .. }) => {
                *number != partition.1 || *topic != partition.0
            }
            Err(_) => true,
        };
        state.ready.retain(is_others);
        state.bytes = state.ready.iter().flatten().map(|one| one.message.event.content_bytes()).sum();
        drop(state);
        self.room.notify_one();
    }

    /// Of these places (each the first that is not done), those that are news to the broker.
    pub(crate) fn uncommitted(&self, places: &mut BTreeMap<PartitionKey, u64>) {
        let state = self.lock();
        places.retain(|key, place| state.owned.get(key).is_some_and(|committed| committed < place));
    }

    /// The broker has these places.
    pub(crate) fn committed(&self, places: &BTreeMap<PartitionKey, u64>) {
        let mut state = self.lock();
        for (key, place) in places {
            if let Some(committed) = state.owned.get_mut(key) {
                *committed = (*committed).max(*place);
            }
        }
    }

    /// Nothing is wanted, or nothing will come, any more.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.arrived.notify_waiters();
        self.room.notify_one();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
