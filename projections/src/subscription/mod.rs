//! A subscription follows the log: one mechanism for projections, processes and the relay.
//!
//! What it does: takes the lease of its name, loads the checkpoint, reads bounded batches, hands them to the
//! [`Subscriber`], retries what may succeed later, stops or parks what may not, and tells its [`Progress`].
//! What it leaves to the subscriber: to make a batch durable together with its checkpoint.

mod error;
mod follow;
mod idle;
mod lease;
mod monitor;
mod options;
mod park;
mod parking;
mod progress;
mod retry;
mod run;
mod subscriber;

pub use error::{BoxError, HandleError, SubscriptionError};
pub use lease::Leasing;
pub use monitor::Monitor;
pub use options::{Backoff, FailurePolicy, SubscriptionOptions};
pub use parking::Parking;
pub use progress::{Progress, SubscriptionState};
pub use retry::{RetryOutcome, retry_dead_letter};
pub use run::run;
pub use subscriber::{Batch, Subscriber};
