//! How long a test goes on: short by default, for `PROVE_SECONDS` with new cases where somebody asks for a proof.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{available_parallelism, scope};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// One test's cases, counted by a seed.
#[derive(Debug)]
pub(crate) struct Proof {
    started: Instant,
    lasts: Option<Duration>,
    first: u64,
    short: u64,
}

impl Proof {
    /// `short` cases from seed 0, or as many as fit in the time asked for, from a seed that nobody has tried.
    pub(crate) fn of(short: u64) -> Self {
        let lasts = number("PROVE_SECONDS").map(Duration::from_secs);
        let (started, new_seed) = now();
        Self { started, lasts, first: if lasts.is_some() { new_seed } else { 0 }, short }
    }

    /// `short` cases from seed `first`, whatever is asked for.
    pub(crate) fn short_from(first: u64, short: u64) -> Self {
        Self { started: now().0, lasts: None, first, short }
    }

    /// Where the seeds begin.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// Whether a case with this seed is still to be tried.
    pub(crate) fn goes_on(&self, seed: u64) -> bool {
        match self.lasts {
            Some(lasts) => self.started.elapsed() < lasts,
            None => seed < self.first + self.short,
        }
    }

    /// Tries seeds on several cores until one has something to tell; the lowest of those that have.
    pub(crate) fn first_that<T: Send>(&self, case: impl Fn(u64) -> Option<T> + Sync) -> Option<(u64, T)> {
        let (next, found) = (AtomicU64::new(self.first), Mutex::new(None::<(u64, T)>));
        let search = || {
            while found.lock().unwrap().is_none() {
                let seed = next.fetch_add(1, Ordering::SeqCst);
                if !self.goes_on(seed) {
                    return;
                }
                let Some(told) = case(seed) else { continue };
                let mut found = found.lock().unwrap();
                // All lower seeds are taken already, and each is tried to its end.
                if found.as_ref().is_none_or(|(lower, _)| seed < *lower) {
                    *found = Some((seed, told));
                }
            }
        };
        // A short run leaves half of the machine to the tests beside it, which talk to real programs.
        let cores = available_parallelism().map_or(1, usize::from);
        let threads = if self.lasts.is_some() { cores } else { cores.div_ceil(2) };
        scope(|scope| {
            for _ in 0..threads {
                scope.spawn(search);
            }
        });
        found.into_inner().unwrap()
    }
}

/// A whole number in the environment.
pub(crate) fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is {text:?}")))
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a proof runs is the machine's time, and so is what is new"
)]
fn now() -> (Instant, u64) {
    (Instant::now(), SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() * 1_000))
}
