//! One member of a group: takes messages from its inbox, commits, and tells the lag.

use crate::blocking::ask;
use crate::config;
use crate::error::{Reports, not_made};
use crate::inbox::{Inbox, PartitionKey};
use crate::options::RedpandaOptions;
use crate::poller::{self, GroupNews};
use async_trait::async_trait;
use composable_rust_core::port::{BusError, Consumer, Delivery};
use rdkafka::config::FromClientConfigAndContext as _;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::metadata::MetadataTopic;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How long a group that deals its partitions out is left alone before a commit is tried again.
const PAUSE: Duration = Duration::from_millis(50);

/// A consumer; leaves its group when it is dropped.
pub(crate) struct Member {
    consumer: Arc<BaseConsumer<GroupNews>>,
    inbox: Arc<Inbox>,
    options: Arc<RedpandaOptions>,
    reports: Reports,
    topics: Vec<String>,
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member").field("topics", &self.topics).finish_non_exhaustive()
    }
}

impl Member {
    /// Joins the group; the topics are there.
    pub(crate) fn join(
        client: &ClientConfig,
        options: Arc<RedpandaOptions>,
        reports: Reports,
        group: &str,
        topics: &[String],
    ) -> Result<Self, BusError> {
        let group = format!("{}{group}", options.prefix);
        let inbox = Arc::new(Inbox::new(options.buffer_messages, options.buffer_bytes));
        let news =
            GroupNews { reports: reports.clone(), inbox: Arc::clone(&inbox), prefix: options.prefix.clone() };
        let config = config::consumer(client, &options, &group);
        let consumer = BaseConsumer::from_config_and_context(&config, news).map_err(not_made)?;
        let topics: Vec<_> = topics.iter().map(|topic| format!("{}{topic}", options.prefix)).collect();
        let names: Vec<_> = topics.iter().map(String::as_str).collect();
        consumer.subscribe(&names).map_err(|error| reports.failure("subscribe", error))?;
        let member = Self { consumer: Arc::new(consumer), inbox, options, reports, topics };
        member.start()?;
        Ok(member)
    }

    /// Lets the thread run, which is the last to hold the library's consumer and takes leave of the group.
    fn start(&self) -> Result<(), BusError> {
        let consumer = Arc::clone(&self.consumer);
        let thread = std::thread::Builder::new().name("bus-consumer".to_owned());
        let started = thread.spawn(move || poller::run(&consumer));
        started.map(drop).map_err(|error| BusError::Unavailable { doing: "subscribe", source: error.into() })
    }

    /// Commits places, each the first that is not done.
    async fn commit_places(&self, mut places: BTreeMap<PartitionKey, u64>) -> Result<(), BusError> {
        let limit = self.options.answer_timeout;
        let committing = async {
            loop {
                // What is no longer ours will be done again by whoever has it.
                self.inbox.uncommitted(&mut places);
                if places.is_empty() {
                    return Ok(());
                }
                match self.try_commit(&places).await? {
                    Ok(()) => {
                        self.inbox.committed(&places);
                        return Ok(());
                    }
                    Err(error) if is_passing(&error) => tokio::time::sleep(PAUSE).await,
                    Err(error) => return Err(self.reports.failure("commit", error)),
                }
            }
        };
        let timeout = |_| Err(self.reports.timeout("commit"));
        tokio::time::timeout(limit, committing).await.unwrap_or_else(timeout)
    }

    /// What the library answers, or that it does not.
    async fn try_commit(
        &self,
        places: &BTreeMap<PartitionKey, u64>,
    ) -> Result<Result<(), KafkaError>, BusError> {
        let mut list = TopicPartitionList::with_capacity(places.len());
        for ((topic, partition), place) in places {
            let topic = format!("{}{topic}", self.options.prefix);
            let offset = Offset::Offset(place.cast_signed());
            list.add_partition_offset(&topic, partition.cast_signed(), offset)
                .map_err(|error| self.reports.failure("commit", error))?;
        }
        let consumer = Arc::clone(&self.consumer);
        ask(&self.reports, "commit", self.options.answer_timeout, move || {
            Ok(consumer.commit(&list, CommitMode::Sync))
        })
        .await
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.inbox.close();
    }
}

#[async_trait]
impl Consumer for Member {
    async fn receive(&mut self, limit: usize) -> Result<Vec<Delivery>, BusError> {
        self.inbox.take(limit).await
    }

    async fn commit(&mut self, deliveries: &[Delivery]) -> Result<(), BusError> {
        let mut places: BTreeMap<PartitionKey, u64> = BTreeMap::new();
        for delivery in deliveries {
            let place = places.entry((delivery.message.topic.clone(), delivery.partition)).or_default();
            *place = (*place).max(delivery.offset + 1);
        }
        self.commit_places(places).await
    }

    async fn skip(&mut self, topic: &str, partition: u32, offset: u64) -> Result<(), BusError> {
        self.commit_places(BTreeMap::from([((topic.to_owned(), partition), offset + 1)])).await
    }

    async fn lag(&self) -> Result<u64, BusError> {
        let (consumer, topics) = (Arc::clone(&self.consumer), self.topics.clone());
        let limit = self.options.answer_timeout;
        ask(&self.reports, "measure the lag", limit, move || lag(&consumer, &topics, limit)).await
    }
}

/// A group that is being dealt out, or whose coordinator moves, takes commits a moment later.
fn is_passing(error: &KafkaError) -> bool {
    let passing = [
        Code::RebalanceInProgress,
        Code::IllegalGeneration,
        Code::UnknownMemberId,
        Code::NotCoordinator,
        Code::CoordinatorNotAvailable,
        Code::CoordinatorLoadInProgress,
        Code::WaitingForCoordinator,
        Code::BrokerTransportFailure,
        Code::RequestTimedOut,
    ];
    error.rdkafka_error_code().is_some_and(|code| passing.contains(&code))
}

/// From what the group has committed, or the oldest message kept, to the end, over all partitions of the topics.
fn lag(consumer: &BaseConsumer<GroupNews>, topics: &[String], limit: Duration) -> Result<u64, KafkaError> {
    let mut partitions = TopicPartitionList::new();
    for topic in topics {
        let metadata = consumer.fetch_metadata(Some(topic), limit)?;
        for partition in metadata.topics().iter().flat_map(MetadataTopic::partitions) {
            partitions.add_partition(topic, partition.id());
        }
    }
    let committed = consumer.committed_offsets(partitions, limit)?;
    let mut lag = 0;
    for partition in committed.elements() {
        let (first, end) = consumer.fetch_watermarks(partition.topic(), partition.partition(), limit)?;
        let from = if let Offset::Offset(offset) = partition.offset() { offset.max(first) } else { first };
        lag += u64::try_from(end - from).unwrap_or_default();
    }
    Ok(lag)
}
