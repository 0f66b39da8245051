//! The bus itself: the port, put together from topics, the publisher and members.

use crate::config;
use crate::error::Reports;
use crate::member::Member;
use crate::options::RedpandaOptions;
use crate::publisher::Publisher;
use crate::topics::Topics;
use async_trait::async_trait;
use composable_rust_core::port::{BusError, Consumer, EventBus, Message};
use rdkafka::ClientConfig;
use std::fmt;
use std::sync::Arc;

/// The bus on brokers of the Kafka protocol. A clone is the same bus.
///
/// - **Topics** carry the name of the category (after [`RedpandaOptions::prefix`]), keys are stream ids. Each topic is made
///   or checked when it is first used.
/// - **Publishing** is answered when all copies in sync have the messages. The producer is idempotent; a publish that
///   fails leaves no gap behind it, so the order of each stream holds also when it is published again.
/// - **Groups** are those of the protocol: offsets are committed by [`Consumer::commit`] alone, members that join or leave
///   disturb only the partitions that move. A member that is slower than its partitions keeps a limited number of messages
///   and then fetches no more; it stays in the group.
/// - **Brokers that are away** make every call fail with [`BusError::Unavailable`] after a limited time, with the reason.
///   Once they are back, calls succeed again.
///
/// A message that is no event is [`BusError::Malformed`]; see there.
#[derive(Clone)]
pub struct RedpandaEventBus {
    inner: Arc<Inner>,
}

struct Inner {
    client: ClientConfig,
    options: Arc<RedpandaOptions>,
    reports: Reports,
    topics: Topics,
    publisher: Publisher,
}

impl fmt::Debug for RedpandaEventBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The client's configuration contains secrets.
        f.debug_struct("RedpandaEventBus").field("options", &self.inner.options).finish_non_exhaustive()
    }
}

impl RedpandaEventBus {
    /// A bus that connects when it is used: an application may start while the brokers are away, and publish later.
    ///
    /// # Errors
    /// [`BusError::Setup`] for options that cannot work.
    pub fn new(options: RedpandaOptions) -> Result<Self, BusError> {
        let (client, reports) = (config::client(&options)?, Reports::new(&options.brokers));
        let options = Arc::new(options);
        let topics = Topics::new(&client, Arc::clone(&options), reports.clone())?;
        let publisher = Publisher::new(&client, Arc::clone(&options), reports.clone());
        Ok(Self { inner: Arc::new(Inner { client, options, reports, topics, publisher }) })
    }

    /// A bus whose brokers have answered.
    ///
    /// # Errors
    /// As [`Self::new`]; [`BusError::Unavailable`] when none answers within [`RedpandaOptions::answer_timeout`], with the
    /// reason. Try again.
    ///
    /// # Cancel safety
    /// It changes nothing.
    pub async fn connect(options: RedpandaOptions) -> Result<Self, BusError> {
        let bus = Self::new(options)?;
        bus.inner.topics.reach().await?;
        Ok(bus)
    }

    /// Makes the topics of these categories where they are missing, and checks those that are there; the same happens when
    /// a topic is first used.
    ///
    /// # Errors
    /// [`BusError::Setup`] for a topic that is missing or has too few partitions or copies, with what to do.
    ///
    /// # Cancel safety
    /// Some of the topics may have been made.
    pub async fn ensure_topics(&self, categories: &[String]) -> Result<(), BusError> {
        self.inner.topics.ensure(categories.iter().map(String::as_str)).await
    }
}

#[async_trait]
impl EventBus for RedpandaEventBus {
    async fn publish(&self, messages: Vec<Message>) -> Result<(), BusError> {
        if messages.is_empty() {
            return Ok(());
        }
        self.inner.topics.ensure(messages.iter().map(|message| message.topic.as_str())).await?;
        self.inner.publisher.publish(&messages).await
    }

    async fn subscribe(&self, group: &str, topics: &[String]) -> Result<Box<dyn Consumer>, BusError> {
        let Inner { client, options, reports, .. } = &*self.inner;
        self.ensure_topics(topics).await?;
        let member = Member::join(client, Arc::clone(options), reports.clone(), group, topics)?;
        Ok(Box::new(member))
    }
}
