//! The port of the bus: committed events for other services and instances, at least once, in order per key.

use crate::RecordedEvent;
use async_trait::async_trait;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// What can go wrong with a bus.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BusError {
    /// The broker did not answer. Retry; publishing twice is allowed.
    #[error("the bus is unavailable while it should {doing}")]
    Unavailable {
        /// What was attempted.
        doing: &'static str,
        /// The cause.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The bus or the consumer was closed. Stop.
    #[error("the bus is closed")]
    Closed,
    /// A message that is no event of ours. Park it, then [`Consumer::skip`] it: what comes after it is received next,
    /// and it comes again to whoever starts anew before it was skipped.
    #[error("message {offset} of partition {partition} of {topic} cannot be read: {reason}")]
    Malformed {
        /// Where.
        topic: String,
        /// The partition of the topic.
        partition: u32,
        /// Its number in the partition.
        offset: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The bus cannot be used as it is configured. Do what the text says; retrying alone does not help.
    #[error("{0}")]
    Setup(String),
}

/// A committed event on its way. Its key on the bus is the stream id.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Where it is published: the category of the event's stream.
    pub topic: String,
    /// The event.
    pub event: Arc<RecordedEvent>,
}

impl Message {
    /// The message that announces `event`.
    pub fn of(event: RecordedEvent) -> Self {
        Self { topic: event.stream.category().to_owned(), event: Arc::new(event) }
    }
}

/// A message as received, with its place for the commit.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// The message.
    pub message: Message,
    /// The partition it came by.
    pub partition: u32,
    /// Its number in the partition.
    pub offset: u64,
}

/// Publishes events and hands them to groups of consumers.
///
/// # Contract
/// - When [`Self::publish`] returns, the messages are as durable as the bus makes them, in order per stream.
/// - Each group gets each message at least once; a message is delivered again until its offset is committed.
/// - Within a group each stream is read by one consumer at a time, in order.
///
/// # Cancel safety
/// A dropped publish may have published some of the messages: publish all of them again. A dropped subscribe has joined
/// nothing that lasts.
#[async_trait]
pub trait EventBus: fmt::Debug + Send + Sync {
    /// Publishes messages in order.
    ///
    /// # Errors
    /// [`BusError`]; some of the messages may have been published.
    async fn publish(&self, messages: Vec<Message>) -> Result<(), BusError>;

    /// Joins `group` as a consumer of `topics`; a new group starts with the oldest message kept.
    ///
    /// # Errors
    /// [`BusError`] when the bus cannot be reached.
    async fn subscribe(&self, group: &str, topics: &[String]) -> Result<Box<dyn Consumer>, BusError>;
}

/// One member of a group.
///
/// # Cancel safety
/// A dropped commit was made or not; what is not committed is delivered again. See also [`Self::receive`].
#[async_trait]
pub trait Consumer: fmt::Debug + Send + Sync {
    /// Waits for messages; at most `limit` at once, in order per stream.
    ///
    /// # Errors
    /// [`BusError`]. Call again after a transient one.
    ///
    /// # Cancel safety
    /// Dropping the future loses no message: what was not committed is delivered again.
    async fn receive(&mut self, limit: usize) -> Result<Vec<Delivery>, BusError>;

    /// Marks these and all earlier messages of their partitions as done, once their effects are durable.
    ///
    /// # Errors
    /// [`BusError`]; they may be delivered again.
    async fn commit(&mut self, deliveries: &[Delivery]) -> Result<(), BusError>;

    /// Marks one message and all earlier ones of its partition as done: one that was [`BusError::Malformed`] and is parked
    /// by now. A bus that only carries what can be read has nothing to do.
    ///
    /// # Errors
    /// [`BusError`]; it may come again.
    async fn skip(&mut self, topic: &str, partition: u32, offset: u64) -> Result<(), BusError> {
        let (_, _, _) = (topic, partition, offset);
        Ok(())
    }

    /// How many messages wait for this group.
    ///
    /// # Errors
    /// [`BusError`] when the bus cannot be reached.
    async fn lag(&self) -> Result<u64, BusError>;
}
