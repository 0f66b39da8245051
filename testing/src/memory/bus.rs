//! The bus in memory: the in-process bus of the runtime, plus faults.

use super::faults::{Call, Fault, Faults, InjectedFault};
use async_trait::async_trait;
use composable_rust_core::port::{BusError, Consumer, Delivery, EventBus, Message};
use composable_rust_core::{Clock, Environment, StreamId};
use composable_rust_runtime::bus::{InProcessBus, InProcessBusOptions};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A bus in memory. A clone is the same bus: a test that holds one can drop the application and start it again, and
/// what was not committed is delivered again.
///
/// Besides the faults of every adapter it knows duplicates (messages received are received once more, as after a
/// rebalance) and reordering (messages of different streams change places; each stream keeps its order).
#[derive(Debug, Clone)]
pub struct MemoryBus {
    inner: InProcessBus,
    faults: Faults,
    clock: Arc<dyn Clock>,
}

impl MemoryBus {
    /// A bus without faults, on the clock of `environment`.
    pub fn new(environment: &Environment) -> Self {
        Self::with_options(environment, InProcessBusOptions::default())
    }

    /// A bus with other limits.
    pub fn with_options(environment: &Environment, options: InProcessBusOptions) -> Self {
        let clock = Arc::clone(&environment.clock);
        Self { inner: InProcessBus::new(options), faults: Faults::none(), clock }
    }

    pub(crate) fn on_clock(clock: Arc<dyn Clock>) -> Self {
        Self { inner: InProcessBus::default(), faults: Faults::none(), clock }
    }

    /// The same bus, with faults injected into what goes through this clone.
    #[must_use]
    pub fn with_faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// See [`InProcessBus::remove_group`].
    pub fn remove_group(&self, group: &str) {
        self.inner.remove_group(group);
    }
}

fn unavailable(fault: InjectedFault) -> BusError {
    BusError::Unavailable { doing: fault.operation, source: Box::new(fault) }
}

#[async_trait]
impl EventBus for MemoryBus {
    async fn publish(&self, messages: Vec<Message>) -> Result<(), BusError> {
        let call = self.faults.begin("publish", &self.clock).await.map_err(unavailable)?;
        self.inner.publish(messages).await?;
        call.finish(&self.clock).await.map_err(unavailable)
    }

    async fn subscribe(&self, group: &str, topics: &[String]) -> Result<Box<dyn Consumer>, BusError> {
        let call = self.faults.begin("subscribe", &self.clock).await.map_err(unavailable)?;
        let inner = self.inner.subscribe(group, topics).await?;
        call.finish(&self.clock).await.map_err(unavailable)?;
        Ok(Box::new(MemoryConsumer {
            inner,
            faults: self.faults.clone(),
            clock: Arc::clone(&self.clock),
            ready: Vec::new(),
            again: Vec::new(),
        }))
    }
}

#[derive(Debug)]
struct MemoryConsumer {
    inner: Box<dyn Consumer>,
    faults: Faults,
    clock: Arc<dyn Clock>,
    /// Taken from the bus and not yet given to the caller, whose future was dropped or failed in between.
    ready: Vec<Delivery>,
    /// To be given once more.
    again: Vec<Delivery>,
}

impl MemoryConsumer {
    fn distort(&mut self, call: &Call) {
        if call.meets(Fault::Reorder, "reorder") {
            reorder(&mut self.ready);
        }
        if call.meets(Fault::Duplicate, "duplicate") {
            self.again = self.ready.clone();
        }
    }
}

#[async_trait]
impl Consumer for MemoryConsumer {
    async fn receive(&mut self, limit: usize) -> Result<Vec<Delivery>, BusError> {
        let call = self.faults.begin("receive", &self.clock).await.map_err(unavailable)?;
        if self.ready.is_empty() {
            self.ready = std::mem::take(&mut self.again);
        }
        if self.ready.is_empty() {
            self.ready = self.inner.receive(limit).await?;
            self.distort(&call);
        }
        call.finish(&self.clock).await.map_err(unavailable)?;
        let count = limit.min(self.ready.len());
        Ok(self.ready.drain(..count).collect())
    }

    async fn commit(&mut self, deliveries: &[Delivery]) -> Result<(), BusError> {
        let call = self.faults.begin("commit_offsets", &self.clock).await.map_err(unavailable)?;
        self.inner.commit(deliveries).await?;
        call.finish(&self.clock).await.map_err(unavailable)
    }

    async fn lag(&self) -> Result<u64, BusError> {
        let call = self.faults.begin("lag", &self.clock).await.map_err(unavailable)?;
        let lag = self.inner.lag().await?;
        call.finish(&self.clock).await.map_err(unavailable)?;
        Ok(lag)
    }
}

/// Puts the messages of the stream that came last first, and so on; within a stream nothing changes.
fn reorder(deliveries: &mut [Delivery]) {
    let mut first_seen: BTreeMap<StreamId, usize> = BTreeMap::new();
    for (index, delivery) in deliveries.iter().enumerate() {
        first_seen.entry(delivery.message.event.stream.clone()).or_insert(index);
    }
    deliveries.sort_by_key(|delivery| {
        std::cmp::Reverse(first_seen.get(&delivery.message.event.stream).copied().unwrap_or_default())
    });
}
