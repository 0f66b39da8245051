//! Every storage port and the bus in memory: deterministic, the same contract as the real ones, with faults to inject.
//!
//! For tests and simulations; nothing is kept when the process ends. Each operation takes effect at one instant
//! between two await points, so a simulation can stop it before or after its effect, as a crash does.

mod append;
mod bus;
mod checkpoints;
mod dead_letters;
mod events;
mod faults;
mod leases;
mod snapshots;
mod timers;
mod views;

pub use bus::MemoryBus;
pub use faults::{Fault, FaultRates, Faults, InjectedFault, Moment, Point};

use async_trait::async_trait;
use composable_rust_core::port::{OpenStorage, Storage, StoreError};
use composable_rust_core::{Clock, Environment, Signal};
use jiff::Timestamp;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// Operations under way at once. Real stores have few connections too: who is handed one and then forgotten keeps all
/// others waiting, and a test on this storage shows it.
const CONNECTIONS: usize = 4;

/// All storage of an application in memory. A clone is the same storage: a test that holds one can drop the
/// application and start it again on what was written, as after a crash.
///
/// ```
/// use composable_rust_core::port::OpenStorage;
/// use composable_rust_testing::memory::{Faults, MemoryStorage};
///
/// let faults = Faults::scripted();
/// let storage = MemoryStorage::new().with_faults(faults.clone());
/// faults.fail_next("append"); // the next append is refused as unavailable, and nothing is written
/// let opener: Box<dyn OpenStorage> = Box::new(storage.clone());
/// # drop(opener);
/// ```
#[derive(Debug, Clone, Default)]
pub struct MemoryStorage {
    tables: Arc<Mutex<Tables>>,
    signal: Signal,
    faults: Faults,
}

impl MemoryStorage {
    /// An empty storage without faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same storage, with faults injected into what is opened from this clone.
    #[must_use]
    pub fn with_faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }
}

#[async_trait]
impl OpenStorage for MemoryStorage {
    async fn open(&self, environment: &Environment) -> Result<Storage, StoreError> {
        let adapter = Arc::new(MemoryAdapter {
            storage: self.clone(),
            clock: Arc::clone(&environment.clock),
            connections: Semaphore::new(CONNECTIONS),
        });
        adapter.perform("open", |_, _| ()).await?;
        Ok(Storage {
            events: Arc::clone(&adapter) as _,
            snapshots: Arc::clone(&adapter) as _,
            timers: Arc::clone(&adapter) as _,
            views: Arc::clone(&adapter) as _,
            checkpoints: Arc::clone(&adapter) as _,
            leases: Arc::clone(&adapter) as _,
            dead_letters: adapter,
            close: Arc::new(|| Box::pin(async {})),
        })
    }
}

/// What is stored. All maps are ordered, so that the same calls give the same answers.
#[derive(Debug, Default)]
struct Tables {
    events: events::EventTables,
    snapshots: snapshots::SnapshotTable,
    timers: timers::TimerTable,
    views: views::ViewTables,
    checkpoints: checkpoints::CheckpointTable,
    leases: leases::LeaseTable,
    dead_letters: dead_letters::DeadLetterTable,
}

/// One opening of a [`MemoryStorage`]; implements every storage port.
#[derive(Debug)]
struct MemoryAdapter {
    storage: MemoryStorage,
    /// The store's clock: that of the environment it was opened with.
    clock: Arc<dyn Clock>,
    connections: Semaphore,
}

impl MemoryAdapter {
    /// Runs `effect` at one instant between two await points, at which faults may strike.
    async fn perform<T>(
        &self,
        operation: &'static str,
        effect: impl FnOnce(&mut Tables, Timestamp) -> T + Send,
    ) -> Result<T, StoreError> {
        let unavailable = |fault: InjectedFault| StoreError::unavailable(operation, fault);
        let closed = |error| StoreError::unavailable(operation, error);
        let _connection = self.connections.acquire().await.map_err(closed)?;
        let call = self.storage.faults.begin(operation, &self.clock).await.map_err(unavailable)?;
        let answer = {
            let mut tables = self.storage.tables.lock().unwrap_or_else(PoisonError::into_inner);
            effect(&mut tables, to_the_microsecond(self.clock.now()))
        };
        call.finish(&self.clock).await.map_err(unavailable)?;
        Ok(answer)
    }
}

/// What a real store can keep of a time.
fn to_the_microsecond(time: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time)
}
