//! Why a policy did not let a call through or to its end.

use std::time::Duration;

/// Why a policy did not let a call through or to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The other side has failed too often in a row. The call was not made; try again after `retry_after`.
    #[error("the circuit {name:?} is open after repeated failures")]
    CircuitOpen {
        /// Which circuit.
        name: &'static str,
        /// When a call may get through again; zero while a probe is under way.
        retry_after: Duration,
    },
    /// As many calls run and wait as may. The call was not made; answer `overloaded`, or try again later.
    #[error("the bulkhead {name:?} is full")]
    BulkheadFull {
        /// Which bulkhead.
        name: &'static str,
    },
    /// There were too many calls lately. The call was not made; try again after `retry_after`.
    #[error("the rate limit {name:?} is reached")]
    RateLimited {
        /// Which limiter.
        name: &'static str,
        /// When there is room for one more.
        retry_after: Duration,
    },
    /// The call took too long and was dropped. Whether it took effect is unknown: repeat it only under its own id.
    #[error("no answer within {after:?}")]
    TimedOut {
        /// The time allowed.
        after: Duration,
    },
}

impl PolicyError {
    /// Whether the call was not even started, so that repeating it cannot do anything twice.
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::CircuitOpen { .. } | Self::BulkheadFull { .. } | Self::RateLimited { .. } => true,
            Self::TimedOut { .. } => false,
        }
    }
}
