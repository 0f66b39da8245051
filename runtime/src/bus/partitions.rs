//! Topics as numbered partitions of messages, and the place of a group in one.

use composable_rust_core::port::Message;
use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

/// The partitions of all topics.
#[derive(Default)]
pub(super) struct Topics {
    partitions: BTreeMap<String, Vec<Partition>>,
}

/// A topic and the number of one of its partitions.
pub(super) type PartitionKey = (String, u32);

impl Topics {
    /// A partition; its topic is made with `count` of them when it is new.
    pub(super) fn partition(&mut self, key: &PartitionKey, count: u32) -> &mut Partition {
        let partitions = self.partitions.entry(key.0.clone()).or_default();
        let needed = count.max(key.1 + 1) as usize;
        if partitions.len() < needed {
            partitions.resize_with(needed, Partition::default);
        }
        &mut partitions[key.1 as usize]
    }

    /// At most `limit` messages from offset `from` on.
    pub(super) fn read(
        &self,
        key: &PartitionKey,
        from: u64,
        limit: usize,
    ) -> impl Iterator<Item = (u64, Message)> {
        self.get(key).into_iter().flat_map(move |partition| partition.read(from, limit))
    }

    /// The offset that the next message will get.
    pub(super) fn end(&self, key: &PartitionKey) -> u64 {
        self.get(key).map_or(0, |partition| partition.first + partition.messages.len() as u64)
    }

    fn get(&self, key: &PartitionKey) -> Option<&Partition> {
        self.partitions.get(&key.0)?.get(key.1 as usize)
    }
}

/// The partition of a message: that of its stream, in every run.
pub(super) fn partition_of(message: &Message, count: u32) -> u32 {
    let mut hasher = DefaultHasher::new();
    message.event.stream.as_str().hash(&mut hasher);
    u32::try_from(hasher.finish() % u64::from(count)).unwrap_or(0)
}

/// Messages with consecutive offsets.
#[derive(Default)]
pub(super) struct Partition {
    first: u64,
    messages: VecDeque<Message>,
}

impl Partition {
    /// The offset of the oldest message kept.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(super) fn push(&mut self, message: Message) {
        self.messages.push_back(message);
    }

    pub(super) fn drop_oldest(&mut self) {
        if self.messages.pop_front().is_some() {
            self.first += 1;
        }
    }

    fn read(&self, from: u64, limit: usize) -> impl Iterator<Item = (u64, Message)> {
        let from = from.max(self.first);
        let skip = usize::try_from(from - self.first).unwrap_or(usize::MAX);
        (from..).zip(self.messages.iter().skip(skip).take(limit).cloned())
    }
}

/// How far a group has come in a partition, and who reads it.
pub(super) struct Place {
    /// Everything before this offset is done.
    pub(super) committed: u64,
    /// Everything before this offset was given to the owner.
    pub(super) delivered: u64,
    /// The member that reads it.
    pub(super) owner: Option<u64>,
}

impl Place {
    pub(super) fn at(offset: u64) -> Self {
        Self { committed: offset, delivered: offset, owner: None }
    }

    /// A new owner begins with what is not committed.
    pub(super) fn give_to(&mut self, owner: Option<u64>) {
        if self.owner != owner {
            self.owner = owner;
            self.delivered = self.committed;
        }
    }

    pub(super) fn commit(&mut self, offset: u64) {
        self.committed = self.committed.max(offset + 1);
        self.delivered = self.delivered.max(self.committed);
    }
}
