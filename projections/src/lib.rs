//! Subscriptions on the log, and the projections that stand on them.
//!
//! [`run`] follows the log for one [`Subscriber`]: lease, checkpoint, bounded batches, failure policy, progress. It is
//! the only mechanism of its kind: projections here, processes and the relay in `runtime` all use it.
//! Nothing here knows a database, and nothing here reads the machine's clock: see `core::Environment`.

mod dependencies;
pub mod subscription;

pub use dependencies::Dependencies;
pub use subscription::{
    Backoff, Batch, BoxError, FailurePolicy, HandleError, Leasing, Monitor, Progress, RetryOutcome,
    Subscriber, SubscriptionError, SubscriptionOptions, SubscriptionState, retry_dead_letter, run,
};
