//! Running processes: events become inputs, inputs become committed steps, steps become work.
//!
//! ```text
//! log ──► subscriber ──► step {input, state, effects} + timers, one append ──► worker ──► command │ activity │ timer
//!                          ▲                                                                │
//!                          └────────── refusal, outcome or timer as the next input ◄────────┘
//! ```
//! The worker claims a timer in the append by which it acts on it, so nothing is done twice, whoever runs it.
//!
//! What fails for good is parked under the process's subscription with the instance's stream as its key, be it an event
//! or work. As long as an instance has such a letter, its later events become letters too and its timers stay where
//! they are. The subscription retries letters in order, one instance at a time; then the timers go on.

mod activities;
mod instances;
mod letter;
mod options;
mod perform;
mod record;
mod start;
mod step_run;
mod subscriber;
mod under_way;
mod work;
mod worker;

pub use options::ProcessOptions;

pub(crate) use activities::{Activities, AnyActivity, TypedActivity};
pub(crate) use instances::Instances;
pub(crate) use start::note_start;
pub(crate) use subscriber::ProcessSubscriber;
pub(crate) use worker::Worker;

/// The subscription by which process `name` follows the log.
pub(crate) fn subscription_name(name: &str) -> String {
    format!("process:{name}")
}

/// The lease of the work of process `name`.
pub(crate) fn work_name(name: &str) -> String {
    format!("work:{name}")
}
