//! When a state is saved so that a long stream need not be folded again.

use composable_rust_core::elapsed;
use jiff::Timestamp;
use std::time::Duration;

/// A snapshot is saved when any of its limits is reached since the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotPolicy {
    /// After so many events.
    pub events: Option<u64>,
    /// After so many bytes of payload.
    pub bytes: Option<u64>,
    /// After so long, if there was an event.
    pub interval: Option<Duration>,
}

impl SnapshotPolicy {
    /// Never: for streams that stay short.
    pub const NEVER: Self = Self { events: None, bytes: None, interval: None };

    /// After every `events` events.
    pub const fn every(events: u64) -> Self {
        Self { events: Some(events), ..Self::NEVER }
    }
}

impl Default for SnapshotPolicy {
    fn default() -> Self {
        Self::every(1_000)
    }
}

/// What has happened to a stream since its last snapshot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Since {
    pub(crate) events: u64,
    pub(crate) bytes: u64,
    pub(crate) saved_at: Timestamp,
}

impl Since {
    pub(crate) const fn starting(now: Timestamp) -> Self {
        Self { events: 0, bytes: 0, saved_at: now }
    }

    pub(crate) fn is_due(&self, policy: SnapshotPolicy, now: Timestamp) -> bool {
        policy.events.is_some_and(|limit| self.events >= limit)
            || policy.bytes.is_some_and(|limit| self.bytes >= limit)
            || policy.interval.is_some_and(|limit| self.events > 0 && elapsed(self.saved_at, now) >= limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_due_by_number_size_or_time() {
        let start = Timestamp::UNIX_EPOCH;
        let later = |seconds| composable_rust_core::later(start, Duration::from_secs(seconds));
        let since = |events, bytes| Since { events, bytes, saved_at: start };
        let by_events = SnapshotPolicy::every(10);
        assert!(!since(9, 1 << 40).is_due(by_events, later(1 << 30)));
        assert!(since(10, 0).is_due(by_events, start));
        let by_bytes = SnapshotPolicy { bytes: Some(1_000), ..SnapshotPolicy::NEVER };
        assert!(!since(1 << 40, 999).is_due(by_bytes, later(1 << 30)));
        assert!(since(1, 1_000).is_due(by_bytes, start));
        let by_time = SnapshotPolicy { interval: Some(Duration::from_mins(1)), ..SnapshotPolicy::NEVER };
        assert!(!since(1, 1).is_due(by_time, later(59)));
        assert!(!since(0, 0).is_due(by_time, later(99)), "nothing has happened");
        assert!(since(1, 1).is_due(by_time, later(60)));
        assert!(!since(1 << 40, 1 << 40).is_due(SnapshotPolicy::NEVER, later(1 << 30)));
    }
}
