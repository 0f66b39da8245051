//! Topics: made where they are missing, checked where they are there, once each.

use crate::blocking::ask;
use crate::config::is_name;
use crate::error::{Reports, not_made};
use crate::options::RedpandaOptions;
use composable_rust_core::port::BusError;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::config::FromClientConfigAndContext as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::metadata::{Metadata, MetadataTopic};
use rdkafka::producer::{BaseProducer, Producer as _};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a broker that has made a topic may take to know it: asked again so often.
const PAUSE: Duration = Duration::from_millis(20);

/// How long the library is listened to when it gets no answer: it says why beside the call.
const COMPLAINTS: Duration = Duration::from_millis(200);

/// The topics of a bus.
pub(crate) struct Topics {
    admin: AdminClient<Reports>,
    /// Asks the same brokers. Unlike the administrator it can be heard saying why it gets no answer.
    asker: Arc<BaseProducer<Reports>>,
    options: Arc<RedpandaOptions>,
    reports: Reports,
    /// As the application calls them.
    checked: Mutex<BTreeSet<String>>,
}

/// What a broker knows of a topic.
struct Known {
    partitions: usize,
    replication: usize,
    /// Whether each partition has a leader, without whom nothing is written.
    is_led: bool,
}

impl fmt::Debug for Topics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Topics").field("checked", &self.checked).finish_non_exhaustive()
    }
}

impl Topics {
    pub(crate) fn new(
        client: &ClientConfig,
        options: Arc<RedpandaOptions>,
        reports: Reports,
    ) -> Result<Self, BusError> {
        let admin = AdminClient::from_config_and_context(client, reports.clone()).map_err(not_made)?;
        let asker = BaseProducer::from_config_and_context(client, reports.clone()).map_err(not_made)?;
        Ok(Self { admin, asker: Arc::new(asker), options, reports, checked: Mutex::default() })
    }

    /// Whether anybody answers.
    pub(crate) async fn reach(&self) -> Result<(), BusError> {
        self.metadata("connect", None, |_| ()).await?;
        self.reports.settle();
        Ok(())
    }

    /// What the brokers say of a topic, or of all.
    async fn metadata<T: Send + 'static>(
        &self,
        doing: &'static str,
        topic: Option<String>,
        read: impl FnOnce(&Metadata) -> T + Send + 'static,
    ) -> Result<T, BusError> {
        let (asker, limit) = (Arc::clone(&self.asker), self.options.answer_timeout);
        // The library gives up a little sooner than we do, and says more.
        ask(&self.reports, doing, limit + Duration::from_secs(1), move || {
            let answer = asker.client().fetch_metadata(topic.as_deref(), limit);
            if answer.is_err() {
                asker.poll(COMPLAINTS);
            }
            answer.map(|metadata| read(&metadata))
        })
        .await
    }

    /// Makes or checks those topics that are new to us.
    pub(crate) async fn ensure(&self, topics: impl IntoIterator<Item = &str>) -> Result<(), BusError> {
        let new: BTreeSet<&str> = {
            let checked = self.checked();
            topics.into_iter().filter(|topic| !checked.contains(*topic)).collect()
        };
        for topic in new {
            self.ensure_one(topic).await?;
            self.checked().insert(topic.to_owned());
        }
        Ok(())
    }

    fn checked(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.checked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ensure_one(&self, topic: &str) -> Result<(), BusError> {
        let name = format!("{}{topic}", self.options.prefix);
        if topic.is_empty() || name.len() > 249 || !name.bytes().all(is_name) {
            return Err(self.reports.setup(&format!("{name:?} cannot be the name of a topic")));
        }
        if self.options.create_topics {
            self.create(&name).await?;
        }
        self.check(&name, self.known(&name).await?)?;
        self.check_message_size(&name).await
    }

    /// Makes the topic, unless it is there.
    async fn create(&self, name: &str) -> Result<(), BusError> {
        let partitions = i32::try_from(self.options.partitions.max(1)).unwrap_or(i32::MAX);
        let replication = TopicReplication::Fixed(self.options.replication.map_or(-1, i32::from));
        let largest = self.options.max_message_bytes.to_string();
        let topic = NewTopic::new(name, partitions, replication).set("max.message.bytes", &largest);
        let limit = self.options.answer_timeout;
        let asked = AdminOptions::new().request_timeout(Some(limit)).operation_timeout(Some(limit));
        let made = self.admin.create_topics([&topic], &asked).await;
        let failure = |error| self.reports.failure("create a topic", error);
        if made.is_err() {
            self.reach().await?;
        }
        let Some(Err((_, code))) = made.map_err(failure)?.pop() else { return Ok(()) };
        // Who may not make topics may still use those that an administrator has made.
        let fine =
            [Code::TopicAlreadyExists, Code::TopicAuthorizationFailed, Code::ClusterAuthorizationFailed];
        if fine.contains(&code) {
            return Ok(());
        }
        if code == Code::InvalidReplicationFactor {
            let wanted = self.options.replication.unwrap_or_default();
            return Err(self.reports.setup(&format!(
                "there are fewer brokers than the {wanted} copies of {name}: start more, or lower `replication`"
            )));
        }
        Err(failure(KafkaError::AdminOp(code)))
    }

    /// What the brokers know of the topic, once they know it.
    async fn known(&self, name: &str) -> Result<Option<Known>, BusError> {
        let limit = self.options.answer_timeout;
        let complete = async {
            loop {
                let known = self.ask_for(name).await?;
                // A topic that nobody makes will not appear.
                if known.as_ref().is_some_and(|known| known.is_led) || !self.options.create_topics {
                    return Ok(known);
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        tokio::time::timeout(limit, complete).await.unwrap_or(Ok(None))
    }

    async fn ask_for(&self, name: &str) -> Result<Option<Known>, BusError> {
        let wanted = name.to_owned();
        // To ask for one topic may make it, on brokers that are set so: with other partitions than wanted.
        let only = self.options.create_topics.then(|| name.to_owned());
        self.metadata("look at a topic", only, move |metadata| {
            let topic = metadata.topics().iter().find(|topic| topic.name() == wanted);
            topic.filter(|topic| topic.error().is_none()).map(Known::of)
        })
        .await
    }

    fn check(&self, name: &str, known: Option<Known>) -> Result<(), BusError> {
        let Some(known) = known else {
            return Err(self.reports.setup(&format!(
                "there is no topic {name}: create it with {} partitions, or set `create_topics` and give the rights",
                self.options.partitions
            )));
        };
        let (wanted, has) = (self.options.partitions as usize, known.partitions);
        if has < wanted {
            return Err(self.reports.setup(&format!(
                "topic {name} has {has} partitions of the {wanted} wanted: add partitions while nothing is published \
                 (streams move to other partitions), or set `partitions` to {has}"
            )));
        }
        let (wanted, has) = (self.options.replication.map_or(0, usize::from), known.replication);
        if has < wanted {
            return Err(self.reports.setup(&format!(
                "topic {name} is kept on {has} brokers of the {wanted} wanted: reassign it, or lower `replication`"
            )));
        }
        Ok(())
    }

    /// A message that the topic does not take would be refused while those behind it pass.
    async fn check_message_size(&self, name: &str) -> Result<(), BusError> {
        let asked = AdminOptions::new().request_timeout(Some(self.options.answer_timeout));
        let described = self.admin.describe_configs([&ResourceSpecifier::Topic(name)], &asked).await;
        let largest = described
            .ok()
            .and_then(|mut topics| topics.pop()?.ok())
            .and_then(|topic| topic.get("max.message.bytes")?.value.as_ref()?.parse::<usize>().ok());
        // Who may not look has to trust the administrator.
        match largest {
            Some(largest) if largest < self.options.max_message_bytes => Err(self.reports.setup(&format!(
                "topic {name} takes messages of {largest} bytes only: set its max.message.bytes to {}, or lower \
                 `max_message_bytes`",
                self.options.max_message_bytes
            ))),
            Some(_) | None => Ok(()),
        }
    }
}

impl Known {
    fn of(topic: &MetadataTopic) -> Self {
        let partitions = topic.partitions();
        Self {
            partitions: partitions.len(),
            replication: partitions.iter().map(|one| one.replicas().len()).min().unwrap_or_default(),
            is_led: !partitions.is_empty() && partitions.iter().all(|one| one.leader() >= 0),
        }
    }
}
