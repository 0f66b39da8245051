//! Publishing: in order per stream, whatever fails in between.
//!
//! A producer of the library keeps its order as long as nothing is left out. So nothing times out by itself; when a
//! publish fails or is dropped, its whole producer is given up with all that waits in it, and the next publish begins
//! with a new one. What the old one still brings to the broker is a beginning of what is published again.

use crate::blocking::dispose;
use crate::config;
use crate::error::{Reports, not_made};
use crate::options::RedpandaOptions;
use crate::wire;
use composable_rust_core::port::{BusError, Message};
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext as _, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::producer::{
    BaseRecord, DeliveryResult, Producer as _, ProducerContext, PurgeConfig, ThreadedProducer,
};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

const DOING: &str = "publish";

/// Publishes with one producer at a time.
pub(crate) struct Publisher {
    config: ClientConfig,
    options: Arc<RedpandaOptions>,
    reports: Reports,
    current: Mutex<Option<Arc<Producer>>>,
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher").finish_non_exhaustive()
    }
}

impl Publisher {
    pub(crate) fn new(client: &ClientConfig, options: Arc<RedpandaOptions>, reports: Reports) -> Self {
        let config = config::producer(client, &options);
        Self { config, options, reports, current: Mutex::default() }
    }

    /// Publishes all of them, or gives up all that is under way.
    ///
    /// # Errors
    /// [`BusError`]; some may have been published.
    ///
    /// # Cancel safety
    /// A dropped publish is one that failed.
    pub(crate) async fn publish(&self, messages: &[Message]) -> Result<(), BusError> {
        for message in messages {
            self.check(message)?;
        }
        let producer = self.producer()?;
        let turn = Turn { publisher: self, producer: Some(Arc::clone(&producer)) };
        let sent = tokio::time::timeout(self.options.publish_timeout, self.send(producer, messages)).await;
        sent.unwrap_or_else(|_| Err(self.reports.timeout(DOING)))?;
        turn.finish();
        self.reports.settle();
        Ok(())
    }

    /// Refuses what the broker would refuse, before those behind it pass.
    fn check(&self, message: &Message) -> Result<(), BusError> {
        let (size, largest) = (wire::size_of(&message.event), self.options.max_message_bytes);
        if size <= largest {
            return Ok(());
        }
        let stream = &message.event.stream;
        let text = format!("an event of {stream} takes {size} bytes of {largest}: raise `max_message_bytes`");
        Err(self.reports.setup(&text))
    }

    async fn send(&self, producer: Arc<Producer>, messages: &[Message]) -> Result<(), BusError> {
        let batch = Arc::<Batch>::default();
        for message in messages {
            let topic = format!("{}{}", self.options.prefix, message.topic);
            let event = &message.event;
            let mut record = BaseRecord::with_opaque_to(&topic, Arc::clone(&batch))
                .key(event.stream.as_str())
                .payload(&event.payload[..])
                .headers(wire::headers_of(event));
            batch.open.fetch_add(1, Ordering::SeqCst);
            loop {
                let room = producer.client().context().room.notified();
                match producer.send(record) {
                    Ok(()) => break,
                    Err((KafkaError::MessageProduction(Code::QueueFull), same)) => record = same,
                    Err((error, _)) => return Err(self.reports.failure(DOING, error)),
                }
                room.await;
            }
        }
        batch.delivered().await.map_err(|error| self.reports.failure(DOING, error))
    }

    fn producer(&self) -> Result<Arc<Producer>, BusError> {
        let mut current = self.current();
        if let Some(producer) = &*current {
            return Ok(Arc::clone(producer));
        }
        let context = Deliveries { reports: self.reports.clone(), room: Notify::new() };
        let producer = Producer::from_config_and_context(&self.config, context).map_err(not_made)?;
        Ok(Arc::clone(current.insert(Arc::new(producer))))
    }

    fn current(&self) -> MutexGuard<'_, Option<Arc<Producer>>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        dispose(self.current().take());
    }
}

type Producer = ThreadedProducer<Deliveries>;

/// One publish; unless it is finished, its producer is given up.
struct Turn<'a> {
    publisher: &'a Publisher,
    producer: Option<Arc<Producer>>,
}

impl Turn<'_> {
    fn finish(mut self) {
        self.producer = None;
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let Some(producer) = self.producer.take() else { return };
        let mut current = self.publisher.current();
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, &producer)) {
            *current = None;
        }
        drop(current);
        producer.purge(PurgeConfig::default().queue().inflight());
        dispose(producer);
    }
}

/// Hears of each message that was delivered or failed.
struct Deliveries {
    reports: Reports,
    /// A message has left, so that a full queue may have room.
    room: Notify,
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.reports.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.reports.error(error, reason);
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Arc<Batch>;

    fn delivery(&self, result: &DeliveryResult<'_>, batch: Arc<Batch>) {
        batch.close_one(result.as_ref().err().map(|(error, _)| error));
        self.room.notify_waiters();
    }
}

/// The messages of one publish.
#[derive(Default)]
struct Batch {
    open: AtomicUsize,
    failed: Mutex<Option<KafkaError>>,
    done: Notify,
}

impl Batch {
    fn close_one(&self, failure: Option<&KafkaError>) {
        if let Some(failure) = failure {
            let mut failed = self.failed();
            // The first one is the cause of the others.
            failed.get_or_insert_with(|| failure.clone());
        }
        if self.open.fetch_sub(1, Ordering::SeqCst) == 1 || failure.is_some() {
            self.done.notify_waiters();
        }
    }

    /// Waits until all are delivered or one has failed.
    async fn delivered(&self) -> Result<(), KafkaError> {
        loop {
            let done = self.done.notified();
            if let Some(failure) = self.failed().clone() {
                return Err(failure);
            }
            if self.open.load(Ordering::SeqCst) == 0 {
                return Ok(());
            }
            done.await;
        }
    }

    fn failed(&self) -> MutexGuard<'_, Option<KafkaError>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
