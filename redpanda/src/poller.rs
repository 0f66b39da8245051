//! The thread of a member: it asks the library for messages and serves the group, also while the reader is slow.
//!
//! While the inbox is full it asks for nothing. When that lasts, the partitions are paused, so that the library can be
//! asked for its other news: who asks for nothing for minutes is put out of the group.

use crate::error::Reports;
use crate::inbox::{Inbox, PartitionKey};
use crate::wire;
use composable_rust_core::port::Delivery;
use rdkafka::TopicPartitionList;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{BorrowedMessage, Message as _};
use std::sync::Arc;
use std::time::Duration;

/// How long one question for messages waits; also how long a member may take to notice that it is closed.
const POLL: Duration = Duration::from_millis(100);
/// How long a full inbox is waited for until the partitions are paused.
const PATIENCE: Duration = Duration::from_millis(500);

/// What the library calls while it is asked: the log, and who has which partition.
pub(crate) struct GroupNews {
    pub(crate) reports: Reports,
    pub(crate) inbox: Arc<Inbox>,
    /// Before the names of topics.
    pub(crate) prefix: String,
}

impl GroupNews {
    fn keys(&self, partitions: &TopicPartitionList) -> Vec<PartitionKey> {
        let key = |topic: &str, number: i32| {
            Some((topic.strip_prefix(self.prefix.as_str())?.to_owned(), u32::try_from(number).ok()?))
        };
        let elements = partitions.elements();
        elements.iter().filter_map(|element| key(element.topic(), element.partition())).collect()
    }
}

impl ClientContext for GroupNews {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.reports.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.reports.error(error, reason);
    }
}

impl ConsumerContext for GroupNews {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(partitions) = rebalance {
            self.keys(partitions).iter().for_each(|key| self.inbox.disown(key));
        }
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(partitions) = rebalance {
            self.keys(partitions).into_iter().for_each(|key| self.inbox.own(key));
        }
    }
}

/// Fills the inbox until it is closed.
pub(crate) fn run(consumer: &BaseConsumer<GroupNews>) {
    let news = consumer.context();
    let inbox = &news.inbox;
    let mut is_paused = false;
    while !inbox.is_closed() {
        let has_room = inbox.wait_for_room(if is_paused { POLL } else { PATIENCE });
        if !has_room {
            // Each time anew: partitions may have come meanwhile.
            change(consumer, BaseConsumer::pause);
            is_paused = true;
        } else if is_paused {
            change(consumer, BaseConsumer::resume);
            is_paused = false;
        }
        match consumer.poll(if has_room { POLL } else { Duration::ZERO }) {
            Some(Ok(message)) => receive(news, &message),
            Some(Err(error)) => fail(news, error),
            None => {}
        }
    }
}

/// Pauses or resumes all partitions that are ours now.
fn change(
    consumer: &BaseConsumer<GroupNews>,
    change: fn(&BaseConsumer<GroupNews>, &TopicPartitionList) -> Result<(), KafkaError>,
) {
    if let Err(error) = consumer.assignment().and_then(|partitions| change(consumer, &partitions)) {
        tracing::debug!(error = %error, "partitions cannot be paused or resumed");
    }
}

fn receive(news: &GroupNews, message: &BorrowedMessage<'_>) {
    let Some(topic) = message.topic().strip_prefix(news.prefix.as_str()) else { return };
    news.inbox.put(wire::read(topic, message).map(|read| Delivery {
        message: read,
        partition: u32::try_from(message.partition()).unwrap_or_default(),
        offset: u64::try_from(message.offset()).unwrap_or_default(),
    }));
}

/// Tells the reader what the library does not mend by itself, and that all brokers are down.
fn fail(news: &GroupNews, error: KafkaError) {
    let passing = [Code::BrokerTransportFailure, Code::OperationTimedOut, Code::Resolve];
    if error.rdkafka_error_code().is_some_and(|code| passing.contains(&code)) {
        tracing::debug!(error = %error, "the bus client tries again");
        return;
    }
    tracing::warn!(error = %error, "the bus client cannot receive");
    news.inbox.fail(news.reports.failure("receive", error));
}
