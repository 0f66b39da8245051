//! Timers of processes that this application does not run: left behind by a process that was renamed or removed, or
//! those of another application on the same storage.
//!
//! They are no fault of the declaration, so an application starts all the same: the log says what it found, and health
//! tells when they are overdue, which they are only where nobody serves them.

use super::entries::{Prepare, ProcessEntry};
use composable_rust_core::port::{StoreError, TimerStore};
use composable_rust_core::{elapsed, process_category};
use composable_rust_projections::{Dependencies, SubscriptionOptions};
use jiff::Timestamp;
use std::time::Duration;

/// How late a timer may be before nobody seems to serve it: a process elsewhere that is restarted takes less.
const GRACE: Duration = Duration::from_mins(1);

/// The declared processes, before anything runs.
pub(super) struct Processes {
    prepare: Vec<Prepare>,
    served: Served,
}

impl Processes {
    pub(super) fn of(entries: &[ProcessEntry]) -> Self {
        let prepare = entries.iter().map(|process| process.prepare).collect();
        Self { prepare, served: Served(entries.iter().map(|process| process.name).collect()) }
    }

    /// Prepares each, and says in the log which timers wait for a process that is not among them.
    pub(super) async fn prepared(
        self,
        deps: &Dependencies,
        options: &SubscriptionOptions,
    ) -> Result<Served, StoreError> {
        for prepare in self.prepare {
            prepare(deps, options).await?;
        }
        for unserved in self.served.missing(&*deps.storage.timers).await? {
            tracing::warn!("{}", unserved.advice());
        }
        Ok(self.served)
    }
}

/// The names of the processes that an application runs, for its health.
#[derive(Debug)]
pub(super) struct Served(pub(super) Vec<&'static str>);

/// Pending timers under the name of a process that does not run here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unserved {
    /// The name.
    pub(super) process: String,
    /// When the first of them is due.
    pub(super) due: Timestamp,
}

impl Unserved {
    /// Whether nobody acts on them.
    pub(super) fn is_overdue(&self, now: Timestamp) -> bool {
        elapsed(self.due, now) > GRACE
    }

    /// What to do about it.
    pub(super) fn advice(&self) -> String {
        let Self { process, due } = self;
        let streams = process_category(process);
        format!(
            "timers are pending, the first due at {due}, for a process named {process:?} (its instances are the \
             streams {streams}/…), which this application does not run: add `.process::<…>()` for it; if it was \
             renamed, keep `const NAME: &'static str = {process:?};`"
        )
    }
}

impl Served {
    /// Pending timers of processes that are not served here.
    pub(super) async fn missing(&self, timers: &dyn TimerStore) -> Result<Vec<Unserved>, StoreError> {
        let mut unserved = Vec::new();
        for process in timers.queues().await? {
            if self.0.contains(&process.as_str()) {
                continue;
            }
            // They may have been handled in between.
            if let Some(due) = timers.next_due(&process, Timestamp::MIN).await? {
                unserved.push(Unserved { process, due });
            }
        }
        Ok(unserved)
    }
}
