//! The states of a circuit breaker as a pure machine. Not here: locking, time and telling others (`circuit_breaker.rs`).

use composable_rust_core::{elapsed, later};
use jiff::Timestamp;
use std::time::Duration;

/// Limits of a circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CircuitOptions {
    /// Failures in a row that open it; 0 counts as 1. Default 5.
    pub failures: u32,
    /// How long it stays open before one call may try whether the other side is well again. Default 30 s.
    pub open_for: Duration,
}

impl Default for CircuitOptions {
    fn default() -> Self {
        Self { failures: 5, open_for: Duration::from_secs(30) }
    }
}

/// The state of a circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CircuitState {
    /// Calls are made.
    Closed,
    /// Calls are refused.
    Open,
    /// One call is made, as a probe; the others are refused.
    HalfOpen,
}

/// A circuit.
#[derive(Debug)]
pub(super) struct Circuit {
    options: CircuitOptions,
    phase: Phase,
    /// Counts the openings: an answer to a call from before the last one says nothing new.
    pub(super) era: u64,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Closed { failures: u32 },
    Open { until: Timestamp },
    HalfOpen,
}

impl Circuit {
    pub(super) const fn new(options: CircuitOptions) -> Self {
        Self { options, phase: Phase::Closed { failures: 0 }, era: 0 }
    }

    pub(super) const fn state(&self) -> CircuitState {
        match self.phase {
            Phase::Closed { .. } => CircuitState::Closed,
            Phase::Open { .. } => CircuitState::Open,
            Phase::HalfOpen => CircuitState::HalfOpen,
        }
    }

    /// Whether a call may be made at `now`; if not, after how long.
    pub(super) fn admit(&mut self, now: Timestamp) -> Result<(), Duration> {
        match self.phase {
            Phase::Closed { .. } => Ok(()),
            Phase::Open { until } if now < until => Err(elapsed(now, until)),
            Phase::Open { .. } => {
                self.phase = Phase::HalfOpen;
                Ok(())
            }
            Phase::HalfOpen => Err(Duration::ZERO),
        }
    }

    /// A call made in `era` ended well.
    pub(super) fn succeeded(&mut self, era: u64) {
        if era == self.era {
            self.phase = Phase::Closed { failures: 0 };
        }
    }

    /// A call made in `era` failed.
    pub(super) fn failed(&mut self, era: u64, now: Timestamp) {
        if era != self.era {
            return;
        }
        match &mut self.phase {
            Phase::Closed { failures } if *failures + 1 < self.options.failures => *failures += 1,
            Phase::Closed { .. } | Phase::HalfOpen => self.open(now),
            Phase::Open { .. } => {}
        }
    }

    /// A call made in `era` was dropped before it ended: the next one is the probe.
    pub(super) fn dropped(&mut self, era: u64, now: Timestamp) {
        if let (Phase::HalfOpen, true) = (self.phase, era == self.era) {
            self.phase = Phase::Open { until: now };
        }
    }

    fn open(&mut self, now: Timestamp) {
        self.era += 1;
        self.phase = Phase::Open { until: later(now, self.options.open_for) };
    }
}
