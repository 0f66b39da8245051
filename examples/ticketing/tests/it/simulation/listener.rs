//! Somebody who follows the bus, as another service would: at least once, mixed, and again after each crash.
//!
//! What it has noted outlives every crash, as its own storage would keep it.

use crate::invariants::{Broken, Promise};
use composable_rust::port::{BusError, Consumer, Delivery, EventBus};
use composable_rust::prelude::*;
use composable_rust::testing::memory::MemoryBus;
use composable_rust::{Environment, RecordedEvent};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

const GROUP: &str = "listener";
const TOPICS: [&str; 3] = ["inventory", "payment", "reservation"];
const AT_ONCE: usize = 50;

/// What the listener has noted.
#[derive(Debug)]
pub(crate) struct Listener {
    /// Whether it looks if it has acted on an event before.
    looks: bool,
    notes: Mutex<Notes>,
}

#[derive(Debug, Default)]
struct Notes {
    /// How often it has acted, by stream: with each event once, that is the stream's version.
    acted: BTreeMap<StreamId, u64>,
    missed: Vec<String>,
}

impl Listener {
    pub(crate) fn new(looks: bool) -> Self {
        Self { looks, notes: Mutex::default() }
    }

    /// Follows the bus for the rest of this life.
    pub(crate) fn follow(self: &Arc<Self>, bus: MemoryBus, environment: &Environment) {
        let listener = Arc::clone(self);
        let following = async move {
            let topics = TOPICS.map(str::to_owned);
            loop {
                // A bus that fails is asked again: its faults are rare, and each call lets others go on.
                if let Ok(mut consumer) = bus.subscribe(GROUP, &topics).await {
                    while listener.take(&mut *consumer).await.is_ok() {}
                }
            }
        };
        environment.spawner.spawn("listener", Box::pin(following));
    }

    async fn take(&self, consumer: &mut dyn Consumer) -> Result<(), BusError> {
        let deliveries = consumer.receive(AT_ONCE).await?;
        for delivery in &deliveries {
            self.act(delivery);
        }
        consumer.commit(&deliveries).await
    }

    fn act(&self, delivery: &Delivery) {
        let RecordedEvent { stream, version, .. } = &*delivery.message.event;
        let mut notes = self.notes.lock().expect("no panic while noting");
        let Notes { acted, missed } = &mut *notes;
        let acted = acted.entry(stream.clone()).or_default();
        if self.looks && version.get() <= *acted {
            return;
        }
        if self.looks && version.get() != *acted + 1 {
            missed.push(format!("{stream} came at {version} after {acted}"));
        }
        *acted += 1;
    }

    /// Where it has not acted on each event of the log once, each stream in its order.
    pub(crate) async fn broken(&self, app: &Application) -> Vec<Broken> {
        let (acted, mut how) = {
            let notes = self.notes.lock().expect("no panic while noting");
            (notes.acted.clone(), notes.missed.clone())
        };
        for (stream, acted) in &acted {
            let version = app.events().stream_version(stream).await.expect("a store").get();
            if *acted != version {
                how.push(format!("{stream} is at version {version}, acted upon {acted} times"));
            }
        }
        if acted.is_empty() {
            how.push("nothing was heard".to_owned());
        }
        how.into_iter().map(|how| Broken { promise: Promise::TheBusTellsTheLog, how }).collect()
    }
}
