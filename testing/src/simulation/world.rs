//! What outlives a crash: storage, time, the seed.

use super::clock::VirtualClock;
use crate::memory::{Faults, MemoryBus, MemoryStorage};
use composable_rust_core::{Clock, IdGenerator, Randomness, SeededRandom, SequentialIds};
use jiff::Timestamp;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// When every simulation begins.
const EPOCH: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// A world in which an application lives, crashes and lives again.
#[derive(Debug)]
pub struct Simulation {
    seed: u64,
    random: SeededRandom,
    ids: Arc<SequentialIds>,
    clock: VirtualClock,
    storage: MemoryStorage,
    bus: MemoryBus,
    faults: Faults,
    panics: Arc<Mutex<Vec<String>>>,
    polls: AtomicU64,
}

impl Simulation {
    /// Runs `scenario` in the world that `seed` determines, on this thread, under virtual time.
    ///
    /// # Panics
    /// When the thread is already inside an async runtime.
    pub fn run<T>(seed: u64, scenario: impl AsyncFnOnce(&Self) -> T) -> T {
        Self::run_with(seed, |_| Faults::none(), scenario)
    }

    /// As [`Self::run`], with faults in the storage.
    ///
    /// # Panics
    /// When the thread is already inside an async runtime.
    pub fn run_with<T>(
        seed: u64,
        faults: impl FnOnce(u64) -> Faults,
        scenario: impl AsyncFnOnce(&Self) -> T,
    ) -> T {
        #[expect(clippy::expect_used, reason = "a runtime of one thread needs nothing that could be missing")]
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime of one thread");
        runtime.block_on(async {
            let faults = faults(seed);
            let clock = VirtualClock::starting_at(EPOCH);
            let simulation = Self {
                seed,
                random: SeededRandom::new(seed),
                ids: Arc::default(),
                bus: MemoryBus::on_clock(Arc::new(clock.clone())).with_faults(faults.clone()),
                clock,
                storage: MemoryStorage::new().with_faults(faults.clone()),
                faults,
                panics: Arc::default(),
                polls: AtomicU64::new(0),
            };
            scenario(&simulation).await
        })
    }

    /// The seed.
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// The storage of the application, with the simulation's faults.
    pub fn storage(&self) -> MemoryStorage {
        self.storage.clone()
    }

    /// A bus outside of the application, which outlives it as a broker does, with the simulation's faults.
    pub fn bus(&self) -> MemoryBus {
        self.bus.clone()
    }

    /// The faults of storage and bus, to switch them off or to script one.
    pub fn faults(&self) -> Faults {
        self.faults.clone()
    }

    /// Time outside of the application.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(self.clock.clone())
    }

    /// A random number of the scenario.
    pub fn next_u64(&self) -> u64 {
        self.random.next_u64()
    }

    /// A random number below `limit` (which must not be 0).
    pub fn below(&self, limit: u64) -> u64 {
        self.next_u64() % limit.max(1)
    }

    /// Panics of tasks so far; a correct application has none.
    pub fn task_panics(&self) -> Vec<String> {
        self.panics.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Polls of all lives so far: how much there is to crash between.
    pub fn polls(&self) -> u64 {
        self.polls.load(Ordering::SeqCst)
    }

    pub(super) fn count_polls(&self, polls: u64) {
        self.polls.fetch_add(polls, Ordering::SeqCst);
    }

    pub(super) fn panics(&self) -> Arc<Mutex<Vec<String>>> {
        Arc::clone(&self.panics)
    }

    pub(super) fn virtual_clock(&self) -> VirtualClock {
        self.clock.clone()
    }

    pub(super) fn ids(&self) -> Arc<dyn IdGenerator> {
        Arc::clone(&self.ids) as Arc<dyn IdGenerator>
    }
}
