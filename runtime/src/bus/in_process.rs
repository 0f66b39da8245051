//! The bus of an application that runs as one process: bounded queues in memory, with groups, offsets and commits.
//!
//! Not here: durability. What was published and not consumed is gone when the process ends; what must survive that is
//! read from the log by a subscription, not from the bus.

use super::partitions::{Place, Topics, partition_of};
use async_trait::async_trait;
use composable_rust_core::port::{BusError, Consumer, Delivery, EventBus, Message};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The limits of an [`InProcessBus`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InProcessBusOptions {
    /// Partitions of each topic: so many members of a group can share its work. At least 1.
    pub partitions: u32,
    /// Messages kept in each partition, at least 1. A full partition loses its oldest message if every group has
    /// committed it; else publishers wait for the groups that have members, and are refused for those that have none.
    pub kept_per_partition: usize,
}

impl Default for InProcessBusOptions {
    fn default() -> Self {
        Self { partitions: 8, kept_per_partition: 1_024 }
    }
}

/// A bus within one process. A clone is the same bus.
///
/// - **Order**: the messages of a stream share a partition and are delivered in the order of their publication.
/// - **At least once**: a message counts as done when its offset is committed. When a member leaves (its [`Consumer`]
///   is dropped) or joins, partitions are dealt out anew, and those that change hands are delivered again from the
///   last commit.
/// - **Back-pressure**: [`EventBus::publish`] waits while a partition is full of messages that a group with members has
///   not committed.
/// - **Absent groups** keep their claim, so that a consumer may restart: nothing is lost silently. When a partition is
///   full of what such a group has not committed, nobody knows how long that will last: [`EventBus::publish`] answers
///   [`BusError::Unavailable`] with a [`GroupAbsent`] that names the group. (The relay tries again, and the health of
///   the application shows the reason.) [`Self::remove_group`] ends the claim of a group that will not come back.
///   A topic without groups keeps its newest messages only. [`Self::groups`] tells who is behind.
/// - **New groups** start with the oldest message kept.
#[derive(Clone)]
pub struct InProcessBus {
    shared: Arc<Shared>,
}

/// Why nothing can be published: a group without members has not committed what fills a partition. Start a consumer of
/// the group again, or end its claim with [`InProcessBus::remove_group`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{topic} is full of messages that group {group} has not committed, and it has no member")]
pub struct GroupAbsent {
    /// The group.
    pub group: String,
    /// The topic whose partition is full.
    pub topic: String,
}

/// How far a group has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupProgress {
    /// The group.
    pub group: String,
    /// How many consumers it has now.
    pub members: usize,
    /// How many messages it has not committed.
    pub lag: u64,
}

struct Shared {
    options: InProcessBusOptions,
    state: Mutex<State>,
    /// Something can be received, or a member must look at its partitions again.
    arrived: Notify,
    /// Something was committed, so that a full partition may have room.
    room: Notify,
}

#[derive(Default)]
struct State {
    topics: Topics,
    groups: BTreeMap<String, Group>,
    next_member: u64,
    closed: bool,
}

/// Members by number with their topics, and how far the group has come in each partition.
#[derive(Default)]
struct Group {
    members: BTreeMap<u64, Vec<String>>,
    places: BTreeMap<(String, u32), Place>,
}

impl Default for InProcessBus {
    fn default() -> Self {
        Self::new(InProcessBusOptions::default())
    }
}

impl fmt::Debug for InProcessBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcessBus").field("options", &self.shared.options).finish_non_exhaustive()
    }
}

impl InProcessBus {
    /// An empty bus; limits of zero are raised to one.
    pub fn new(options: InProcessBusOptions) -> Self {
        let options = InProcessBusOptions {
            partitions: options.partitions.max(1),
            kept_per_partition: options.kept_per_partition.max(1),
        };
        let (state, arrived, room) = (Mutex::default(), Notify::new(), Notify::new());
        Self { shared: Arc::new(Shared { options, state, arrived, room }) }
    }

    /// Forgets a group and what it has not committed, so that publishers no longer wait for it. Its members, if there
    /// are any, get [`BusError::Closed`].
    pub fn remove_group(&self, group: &str) {
        self.shared.lock().groups.remove(group);
        self.shared.wake_all();
    }

    /// Every group, with what waits for it.
    pub fn groups(&self) -> Vec<GroupProgress> {
        let state = self.shared.lock();
        let progress = |(name, group): (&String, &Group)| GroupProgress {
            group: name.clone(),
            members: group.members.len(),
            lag: state.lag(group),
        };
        state.groups.iter().map(progress).collect()
    }

    /// Ends everything: publishers and consumers get [`BusError::Closed`].
    pub fn close(&self) {
        self.shared.lock().closed = true;
        self.shared.wake_all();
    }
}

#[async_trait]
impl EventBus for InProcessBus {
    async fn publish(&self, messages: Vec<Message>) -> Result<(), BusError> {
        let mut waiting = VecDeque::from(messages);
        while !waiting.is_empty() {
            let room = self.shared.room.notified();
            self.shared.offer(&mut waiting)?;
            if !waiting.is_empty() {
                room.await;
            }
        }
        Ok(())
    }

    async fn subscribe(&self, group: &str, topics: &[String]) -> Result<Box<dyn Consumer>, BusError> {
        let member = self.shared.lock().join(group, topics, self.shared.options.partitions)?;
        self.shared.arrived.notify_waiters();
        Ok(Box::new(Member {
            shared: Arc::clone(&self.shared),
            group: group.to_owned(),
            number: member,
            turn: 0,
        }))
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake_all(&self) {
        self.arrived.notify_waiters();
        self.room.notify_waiters();
    }

    /// Publishes from the front until a partition is full.
    fn offer(&self, waiting: &mut VecDeque<Message>) -> Result<(), BusError> {
        let mut state = self.lock();
        if state.closed {
            return Err(BusError::Closed);
        }
        let mut absent = None;
        while let Some(message) = waiting.pop_front() {
            if let Err(full) = state.push(message, &self.options) {
                waiting.push_front(full.message);
                absent = full.absent;
                break;
            }
        }
        drop(state);
        self.arrived.notify_waiters();
        match absent {
            Some(absent) => Err(BusError::Unavailable { doing: "publish", source: absent.into() }),
            None => Ok(()),
        }
    }
}

/// A message for which there is no room.
struct Full {
    message: Message,
    /// The group that nobody can wait for, if there is one.
    absent: Option<GroupAbsent>,
}

impl State {
    /// Adds a message to its partition, or gives it back when there is no room.
    fn push(&mut self, message: Message, options: &InProcessBusOptions) -> Result<(), Full> {
        let Self { topics, groups, .. } = self;
        let number = partition_of(&message, options.partitions);
        let key = (message.topic.clone(), number);
        let partition = topics.partition(&key, options.partitions);
        if partition.len() >= options.kept_per_partition {
            let oldest = partition.first();
            let mut wanting = groups
                .iter()
                .filter(|(_, group)| group.places.get(&key).is_some_and(|place| place.committed <= oldest))
                .peekable();
            if wanting.peek().is_some() {
                let absent = wanting.find(|(_, group)| !group.reads(&message.topic));
                let topic = message.topic.clone();
                let absent = absent.map(|(name, _)| GroupAbsent { group: name.clone(), topic });
                return Err(Full { message, absent });
            }
            partition.drop_oldest();
        }
        partition.push(message);
        Ok(())
    }

    fn join(&mut self, group: &str, topics: &[String], partitions: u32) -> Result<u64, BusError> {
        if self.closed {
            return Err(BusError::Closed);
        }
        let member = self.next_member;
        self.next_member += 1;
        let joined = self.groups.entry(group.to_owned()).or_default();
        for topic in topics {
            for number in 0..partitions {
                let key = (topic.clone(), number);
                let first = self.topics.partition(&key, partitions).first();
                joined.places.entry(key).or_insert_with(|| Place::at(first));
            }
        }
        joined.members.insert(member, topics.to_vec());
        joined.deal();
        Ok(member)
    }

    /// What `member` gets next: from its partitions in turn, beginning with the `turn`th.
    fn take(
        &mut self,
        group: &str,
        member: u64,
        turn: usize,
        limit: usize,
    ) -> Result<Vec<Delivery>, BusError> {
        let known = self.groups.get_mut(group).filter(|_| !self.closed).ok_or(BusError::Closed)?;
        let mut own: Vec<_> =
            known.places.iter_mut().filter(|(_, place)| place.owner == Some(member)).collect();
        let turn = turn.checked_rem(own.len()).unwrap_or(0);
        own.rotate_left(turn);
        let mut deliveries = Vec::new();
        for (key, place) in own {
            let room = limit - deliveries.len();
            for (offset, message) in self.topics.read(key, place.delivered, room) {
                place.delivered = offset + 1;
                deliveries.push(Delivery { message, partition: key.1, offset });
            }
        }
        Ok(deliveries)
    }

    fn lag(&self, group: &Group) -> u64 {
        let places = group.places.iter();
        places.map(|(key, place)| self.topics.end(key).saturating_sub(place.committed)).sum()
    }

    fn leave(&mut self, group: &str, member: u64) {
        if let Some(left) = self.groups.get_mut(group) {
            left.members.remove(&member);
            left.deal();
        }
    }
}

impl Group {
    /// Whether a member of it reads `topic` now.
    fn reads(&self, topic: &String) -> bool {
        self.members.values().any(|topics| topics.contains(topic))
    }

    /// Deals the partitions of each topic out to the members that want it, in turn.
    fn deal(&mut self) {
        for ((topic, number), place) in &mut self.places {
            let wanting: Vec<u64> = self
                .members
                .iter()
                .filter(|(_, topics)| topics.contains(topic))
                .map(|(member, _)| *member)
                .collect();
            let turn = (*number as usize).checked_rem(wanting.len()).unwrap_or(0);
            place.give_to(wanting.get(turn).copied());
        }
    }
}

/// One member of a group; leaves it when dropped.
struct Member {
    shared: Arc<Shared>,
    group: String,
    number: u64,
    /// With which partition the next receive begins, so that a busy one does not starve the others.
    turn: usize,
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member")
            .field("group", &self.group)
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Consumer for Member {
    async fn receive(&mut self, limit: usize) -> Result<Vec<Delivery>, BusError> {
        loop {
            let arrived = self.shared.arrived.notified();
            let deliveries = self.shared.lock().take(&self.group, self.number, self.turn, limit)?;
            if !deliveries.is_empty() || limit == 0 {
                self.turn = self.turn.wrapping_add(1);
                return Ok(deliveries);
            }
            arrived.await;
        }
    }

    async fn commit(&mut self, deliveries: &[Delivery]) -> Result<(), BusError> {
        let mut state = self.shared.lock();
        if state.closed {
            return Err(BusError::Closed);
        }
        let group = state.groups.get_mut(&self.group).ok_or(BusError::Closed)?;
        for delivery in deliveries {
            let key = (delivery.message.topic.clone(), delivery.partition);
            if let Some(place) = group.places.get_mut(&key) {
                place.commit(delivery.offset);
            }
        }
        drop(state);
        self.shared.room.notify_waiters();
        Ok(())
    }

    async fn lag(&self) -> Result<u64, BusError> {
        let state = self.shared.lock();
        let group = state.groups.get(&self.group).filter(|_| !state.closed).ok_or(BusError::Closed)?;
        Ok(state.lag(group))
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.shared.lock().leave(&self.group, self.number);
        // Whoever waited for its commits must not wait for nobody.
        self.shared.wake_all();
    }
}
