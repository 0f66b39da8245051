//! Subscriptions on the log, and the projections that stand on them.
//!
//! [`run`] follows the log for one [`Subscriber`]: lease, checkpoint, bounded batches, failure policy, progress. It is
//! the only mechanism of its kind: projections here, processes and the relay in `runtime` all use it.
//! [`ProjectionRunner`] maintains the rows of one projection with it, and [`View`] reads them.
//! Nothing here knows a database, and nothing here reads the machine's clock: see `core::Environment`.

mod dependencies;
pub mod engine;
pub mod subscription;
pub mod view;

pub use dependencies::Dependencies;
pub use engine::{
    Difference, FoldError, PrepareError, ProjectionControl, ProjectionOptions, ProjectionProgress,
    ProjectionRunner, ProjectionSubscriber, ShapeChanged, fold_in_memory, read_model, subscription_name,
    verify,
};
pub use subscription::{
    Backoff, Batch, BoxError, FailurePolicy, HandleError, Leasing, Monitor, Parking, Progress, RetryOutcome,
    Subscriber, SubscriptionError, SubscriptionOptions, SubscriptionState, retry_dead_letter, run,
};
pub use view::{Behind, Lag, Shows, View, ViewError, ViewPage, ViewQuery};
