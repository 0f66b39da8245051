//! Processes (sagas): what happens next, as data.
//!
//! A process reacts to events, to refusals of its commands, to outcomes of its activities and to its own timers. Its
//! steps are data; the runtime commits {input, state, steps} before it acts, and never runs a committed step again.

mod activity;
mod input;
mod step;

pub use activity::{Activity, ActivityCall, ActivityContext, ActivityError, ActivityPolicy, Outcome};
pub use input::{HearsOutcome, HearsRejected, ProcessInput, Rejected};
pub use step::{ProcessEffect, Step, Steps, call, cancel, dispatch, schedule};

use crate::{InvalidId, Recorded, State, StreamId};
use std::fmt;

/// Names one instance of a process, usually after the aggregate that it accompanies.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProcessId(String);

impl ProcessId {
    /// The instance that accompanies `key`.
    pub fn of(key: &impl fmt::Display) -> Self {
        Self(key.to_string())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// From where in the log a process hears, when it runs for the first time under its name.
///
/// It is asked for once: where the process has come to is kept under its name from then on. So a renamed process is a
/// new one, which starts as this says, and the timers of the old name wait for a process of that name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProcessStart {
    /// From the first event on: it does for everything that ever happened what it would have done at the time, commands,
    /// activities and overdue timers included. Right for an application that begins with the process.
    #[default]
    Beginning,
    /// From what is appended after the start of the first application that runs it. Right for a process that joins an
    /// application with a history, or takes the place of another.
    Now,
}

/// A process: a state and a reaction.
pub trait Process: State + Default {
    /// What it hears, derived with `#[derive(Input)]`.
    type Input: ProcessInput;
    /// Its name, unique in the application; part of its streams' ids. The characters of a category.
    const NAME: &'static str;
    /// From where in the log it hears when it is new.
    const START: ProcessStart = ProcessStart::Beginning;

    /// Which instance an event is for; `None` when it is not for this process. Asked for events only: refusals,
    /// outcomes and timers return to the instance that caused them.
    fn id(input: &Self::Input) -> Option<ProcessId>;

    /// Changes the state and says what to do next. Pure: no clock, no ids, no I/O.
    fn react(&mut self, input: Recorded<Self::Input>) -> Steps<Self>;
}

/// The stream in which the steps of an instance are kept.
///
/// # Errors
/// [`InvalidId`] when the instance's name is not allowed in a stream id.
pub fn process_stream(name: &str, id: &ProcessId) -> Result<StreamId, InvalidId> {
    StreamId::new(&process_category(name), id.as_str())
}

/// The category of the streams of a process's instances.
pub fn process_category(name: &str) -> String {
    format!("process-{name}")
}
