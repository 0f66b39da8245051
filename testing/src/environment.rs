//! An environment that a test controls: time moves when told, ids count up, chance has a seed, tasks run when told.
//!
//! For tests on one thread without an async runtime. Whole applications are tested in `simulation`.

use composable_rust_core::{
    Clock, Environment, FixedClock, SeededRandom, SequentialIds, Spawner, elapsed, later,
};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

/// An environment and the handles that control it.
#[derive(Debug, Clone)]
pub struct TestEnvironment {
    /// What the code under test gets.
    pub environment: Environment,
    /// Its time.
    pub clock: TestClock,
    /// Its tasks.
    pub tasks: StepSpawner,
}

/// An environment at 2026-01-01T00:00:00Z with ids from zero and seed zero.
pub fn test_environment() -> TestEnvironment {
    let clock = TestClock::at(Timestamp::constant(1_767_225_600, 0));
    let tasks = StepSpawner::default();
    let environment = Environment {
        clock: Arc::new(clock.clone()),
        ids: Arc::new(SequentialIds::default()),
        random: Arc::new(SeededRandom::new(0)),
        spawner: Arc::new(tasks.clone()),
    };
    TestEnvironment { environment, clock, tasks }
}

impl TestEnvironment {
    /// Moves time on, stopping wherever something was waiting for, and runs the tasks that wake there.
    pub fn advance(&self, by: Duration) {
        self.tasks.run();
        self.clock.advance_in_steps(by, || self.tasks.run());
    }
}

impl AsRef<Environment> for TestEnvironment {
    fn as_ref(&self) -> &Environment {
        &self.environment
    }
}

/// A [`FixedClock`] that knows what is waited for, so that time can move from one such moment to the next.
#[derive(Debug, Clone)]
pub struct TestClock {
    fixed: FixedClock,
    deadlines: Arc<Mutex<Deadlines>>,
}

#[derive(Debug, Default)]
struct Deadlines {
    next: u64,
    pending: BTreeSet<(Timestamp, u64)>,
}

impl TestClock {
    /// A clock that shows `now`.
    pub fn at(now: Timestamp) -> Self {
        Self { fixed: FixedClock::at(now), deadlines: Arc::default() }
    }

    /// Moves time on, and calls `step` at each moment that something waited for, in order, and at the end.
    pub fn advance_in_steps(&self, by: Duration, mut step: impl FnMut()) {
        let end = later(self.now(), by);
        while let Some(moment) = self.next_deadline().filter(|moment| *moment <= end) {
            self.fixed.advance(elapsed(self.now(), moment));
            step();
            // What did not take its wake-up is no longer waited for here.
            self.lock().pending.retain(|(pending, _)| *pending > moment);
        }
        self.fixed.advance(elapsed(self.now(), end));
        step();
    }

    fn next_deadline(&self) -> Option<Timestamp> {
        self.lock().pending.first().map(|(moment, _)| *moment)
    }

    fn lock(&self) -> MutexGuard<'_, Deadlines> {
        lock(&self.deadlines)
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.fixed.now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let deadline = Deadline::new(&self.deadlines, later(self.now(), duration));
        let sleep = self.fixed.sleep(duration);
        Box::pin(async move {
            let _deadline = deadline;
            sleep.await;
        })
    }
}

/// A moment that is waited for, until it is dropped.
struct Deadline {
    deadlines: Arc<Mutex<Deadlines>>,
    entry: (Timestamp, u64),
}

impl Deadline {
    fn new(deadlines: &Arc<Mutex<Deadlines>>, moment: Timestamp) -> Self {
        let mut inner = lock(deadlines);
        inner.next += 1;
        let entry = (moment, inner.next);
        inner.pending.insert(entry);
        Self { deadlines: Arc::clone(deadlines), entry }
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        lock(&self.deadlines).pending.remove(&self.entry);
    }
}

/// Keeps tasks until [`Self::run`] is called, then runs them on the caller's thread in the order of their start.
///
/// A panic of a task is the caller's: the test fails.
#[derive(Debug, Clone, Default)]
pub struct StepSpawner {
    tasks: Arc<Mutex<Tasks>>,
}

#[derive(Default)]
struct Tasks {
    next: u64,
    sleeping: BTreeMap<u64, Task>,
}

struct Task {
    name: &'static str,
    future: BoxFuture<'static, ()>,
    woken: Arc<Woken>,
}

impl StepSpawner {
    /// Runs what can run until everything waits or has ended.
    pub fn run(&self) {
        while let Some((number, mut task)) = self.take_woken() {
            let waker = Waker::from(Arc::clone(&task.woken));
            if task.future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
                lock(&self.tasks).sleeping.insert(number, task);
            }
        }
    }

    /// The names of the tasks that have not ended, in the order of their start.
    pub fn names(&self) -> Vec<&'static str> {
        lock(&self.tasks).sleeping.values().map(|task| task.name).collect()
    }

    fn take_woken(&self) -> Option<(u64, Task)> {
        let mut tasks = lock(&self.tasks);
        let number = tasks.sleeping.iter().find(|(_, task)| task.woken.take()).map(|(number, _)| *number)?;
        tasks.sleeping.remove_entry(&number)
    }
}

impl Spawner for StepSpawner {
    fn spawn(&self, name: &'static str, task: BoxFuture<'static, ()>) {
        let mut tasks = lock(&self.tasks);
        tasks.next += 1;
        let number = tasks.next;
        tasks.sleeping.insert(number, Task { name, future: task, woken: Arc::new(Woken::yes()) });
    }
}

impl std::fmt::Debug for Tasks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.sleeping.values().map(|task| task.name)).finish()
    }
}

/// A waker that only remembers.
#[derive(Debug)]
pub(crate) struct Woken(AtomicBool);

impl Woken {
    pub(crate) const fn yes() -> Self {
        Self(AtomicBool::new(true))
    }

    /// Whether it was woken since the last call.
    pub(crate) fn take(&self) -> bool {
        self.0.swap(false, Ordering::SeqCst)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
