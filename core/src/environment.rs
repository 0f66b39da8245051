//! Everything ambient that code may need, behind ports: time, fresh ids, randomness, spawning.
//!
//! Nothing else in the workspace may ask the machine for these, so a simulation controls all of them. The live
//! versions that need an async runtime (`SystemClock`, `TokioSpawner`) are in `runtime`.

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use uuid::Uuid;

/// Tells the time and waits for it.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;

    /// Completes when `duration` has passed. Dropping the future cancels the wait.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// Makes fresh identifiers.
pub trait IdGenerator: fmt::Debug + Send + Sync {
    /// A new `UUIDv7` whose time part is `now`.
    fn new_id(&self, now: Timestamp) -> Uuid;
}

/// A source of random numbers, for jitter and samples; not for secrets.
pub trait Randomness: fmt::Debug + Send + Sync {
    /// A number from 0 to `u64::MAX`, evenly spread.
    fn next_u64(&self) -> u64;

    /// A number of `[0, 1)`.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exactly what an f64 holds")]
    fn next_f64(&self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Runs futures in the background.
pub trait Spawner: fmt::Debug + Send + Sync {
    /// Starts `task`; its name shows in traces. A panic in it is contained and reported, never spread.
    fn spawn(&self, name: &'static str, task: BoxFuture<'static, ()>);
}

/// The ambient capabilities of one application, cheap to clone.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Fresh ids.
    pub ids: Arc<dyn IdGenerator>,
    /// Random numbers.
    pub random: Arc<dyn Randomness>,
    /// Background tasks.
    pub spawner: Arc<dyn Spawner>,
}

impl Environment {
    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A new `UUIDv7` at the present moment.
    pub fn new_id(&self) -> Uuid {
        self.ids.new_id(self.clock.now())
    }
}

/// So that a reducer's own environment may hold this one among other things.
impl AsRef<Self> for Environment {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// A clock that moves only when told; for tests without an async runtime.
///
/// ```
/// use composable_rust_core::{Clock, FixedClock};
/// use std::time::Duration;
/// let clock = FixedClock::at("2026-01-01T00:00:00Z".parse().unwrap());
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now().to_string(), "2026-01-01T00:01:00Z");
/// ```
#[derive(Debug, Clone)]
pub struct FixedClock {
    microseconds: Arc<AtomicI64>,
    moved: Arc<event_listener::Event>,
}

impl FixedClock {
    /// A clock that shows `now`, to the microsecond.
    pub fn at(now: Timestamp) -> Self {
        Self { microseconds: Arc::new(AtomicI64::new(now.as_microsecond())), moved: Arc::default() }
    }

    /// Moves the clock on and wakes everything that sleeps until then.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.microseconds.fetch_add(by, Ordering::SeqCst);
        self.moved.notify(usize::MAX);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.microseconds.load(Ordering::SeqCst)).unwrap_or(Timestamp::MAX)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let clock = self.clone();
        let until = later(self.now(), duration);
        Box::pin(async move {
            loop {
                let moved = clock.moved.listen();
                if clock.now() >= until {
                    return;
                }
                moved.await;
            }
        })
    }
}

/// `moment` plus `duration`, or the end of time where that overflows.
pub fn later(moment: Timestamp, duration: Duration) -> Timestamp {
    moment.checked_add(duration).unwrap_or(Timestamp::MAX)
}

/// The time from `earlier` to `moment`; zero when it lies ahead.
pub fn elapsed(earlier: Timestamp, moment: Timestamp) -> Duration {
    Duration::try_from(moment.duration_since(earlier)).unwrap_or(Duration::ZERO)
}

/// What a panic said, where it said it in text.
pub fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&'static str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic without text")
}

/// Ids that count up: the same calls give the same ids.
#[derive(Debug, Default)]
pub struct SequentialIds {
    next: AtomicU64,
}

impl IdGenerator for SequentialIds {
    fn new_id(&self, now: Timestamp) -> Uuid {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        uuid_v7(now, 0, number)
    }
}

/// Reproducible random numbers from a seed (`SplitMix64`, Steele, Lea and Flood 2014).
#[derive(Debug)]
pub struct SeededRandom {
    state: AtomicU64,
}

impl SeededRandom {
    /// A sequence that `seed` determines.
    pub const fn new(seed: u64) -> Self {
        Self { state: AtomicU64::new(seed) }
    }
}

impl Randomness for SeededRandom {
    fn next_u64(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.state.fetch_add(STEP, Ordering::SeqCst).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// A `UUIDv7` (RFC 9562) from a moment and 74 bits: 12 of `high`, 62 of `low`.
pub fn uuid_v7(moment: Timestamp, high: u16, low: u64) -> Uuid {
    let millis = u64::try_from(moment.as_millisecond()).unwrap_or(0);
    let mut bytes = [0_u8; 10];
    bytes[..2].copy_from_slice(&(high & 0x0fff).to_be_bytes());
    bytes[2..].copy_from_slice(&low.to_be_bytes());
    uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
}
