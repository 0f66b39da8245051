//! Running processes: events become inputs, inputs become committed steps, steps become work.
//!
//! ```text
//! log ──► subscriber ──► step {input, state, effects} + timers, one append ──► worker ──► command │ activity │ timer
//!                          ▲                                                                │
//!                          └────────── refusal, outcome or timer as the next input ◄────────┘
//! ```
//! The worker claims a timer in the append by which it acts on it, so nothing is done twice, whoever runs it.

mod activities;
mod instances;
mod options;
mod record;
mod retry;
mod step_run;
mod subscriber;
mod work;
mod worker;

pub use options::ProcessOptions;

pub(crate) use activities::{Activities, AnyActivity, TypedActivity};
pub(crate) use instances::Instances;
pub(crate) use retry::reschedule;
pub(crate) use subscriber::ProcessSubscriber;
pub(crate) use worker::Worker;

/// The subscription by which process `name` follows the log.
pub(crate) fn subscription_name(name: &str) -> String {
    format!("process:{name}")
}

const WORK: &str = "work:";

/// The lease and the dead letters of the work of process `name`.
pub(crate) fn work_name(name: &str) -> String {
    format!("{WORK}{name}")
}

/// Whether dead letters under this name are work.
pub(crate) fn is_work(name: &str) -> bool {
    name.starts_with(WORK)
}
