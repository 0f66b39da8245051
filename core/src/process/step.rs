//! What a process wants done, as data: comparable, printable, storable.

use super::{ActivityCall, HearsOutcome, HearsRejected, Process, ProcessInput};
use crate::{Action, Command, DeciderOf, IntoKey};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt::{self, Debug};
use std::marker::PhantomData;

/// One thing to do, as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum ProcessEffect {
    /// Execute a command on another aggregate; its refusal comes back as an input.
    Dispatch {
        /// The aggregate's category.
        category: String,
        /// The aggregate's key.
        key: String,
        /// The encoded command.
        command: Value,
    },
    /// Set a timer; it comes back as an input. A pending one that is equal is replaced.
    Schedule {
        /// The encoded timer.
        timer: Value,
        /// When.
        due: Timestamp,
    },
    /// Remove a timer, if it is pending.
    Cancel {
        /// The encoded timer.
        timer: Value,
    },
    /// Call an activity in the world; its outcome comes back as an input.
    Call {
        /// The activity's name.
        activity: String,
        /// The encoded call.
        call: Value,
    },
}

/// One thing that process `P` wants done. Made by [`dispatch`], [`schedule`], [`cancel`] and [`call`].
pub struct Step<P> {
    effect: Result<ProcessEffect, String>,
    process: PhantomData<fn() -> P>,
}

impl<P> Step<P> {
    fn new(effect: Result<ProcessEffect, serde_json::Error>) -> Self {
        Self { effect: effect.map_err(|error| error.to_string()), process: PhantomData }
    }

    /// What to do; an error when the command, timer or call has no JSON form.
    ///
    /// # Errors
    /// The text of the encoding error.
    pub fn effect(&self) -> Result<&ProcessEffect, &str> {
        self.effect.as_ref().map_err(String::as_str)
    }
}

impl<P> Debug for Step<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.effect {
            Ok(effect) => effect.fmt(f),
            Err(error) => write!(f, "not encodable: {error}"),
        }
    }
}

impl<P> Clone for Step<P> {
    fn clone(&self) -> Self {
        Self { effect: self.effect.clone(), process: PhantomData }
    }
}

impl<P> PartialEq for Step<P> {
    fn eq(&self, other: &Self) -> bool {
        self.effect == other.effect
    }
}

/// What a process wants done next, in order. Write it with `steps![…]`.
pub type Steps<P> = Vec<Step<P>>;

/// Dispatches a command to the aggregate `key`. Compiles only where the process hears its refusal.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the command is written as a value: `dispatch(section, Hold { … })`"
)]
pub fn dispatch<P, C>(key: impl IntoKey<<C::Action as Action>::Key>, command: C) -> Step<P>
where
    C: Command,
    P: Process,
    P::Input: HearsRejected<DeciderOf<C>>,
{
    let category = <C::Action as Action>::CATEGORY.to_owned();
    let (key, encoded) = (key.into_key().to_string(), serde_json::to_value(&command));
    Step::new(encoded.map(|command| ProcessEffect::Dispatch { category, key, command }))
}

/// Sets a timer for `due`, replacing an equal one that is pending.
#[expect(
    clippy::needless_pass_by_value,
    reason = "a timer is written as a value: `schedule(Timer::HoldEnds, due)`"
)]
pub fn schedule<P: Process>(timer: <P::Input as ProcessInput>::Timer, due: Timestamp) -> Step<P> {
    Step::new(serde_json::to_value(&timer).map(|timer| ProcessEffect::Schedule { timer, due }))
}

/// Removes a pending timer.
#[expect(clippy::needless_pass_by_value, reason = "mirrors `schedule`")]
pub fn cancel<P: Process>(timer: <P::Input as ProcessInput>::Timer) -> Step<P> {
    Step::new(serde_json::to_value(&timer).map(|timer| ProcessEffect::Cancel { timer }))
}

/// Calls an activity. Compiles only where the process hears its outcome.
#[expect(clippy::needless_pass_by_value, reason = "a call is written as a value: `call(Charge { … })`")]
pub fn call<P, C>(activity: C) -> Step<P>
where
    C: ActivityCall,
    P: Process,
    P::Input: HearsOutcome<C>,
{
    let encoded = serde_json::to_value(&activity);
    Step::new(encoded.map(|call| ProcessEffect::Call { activity: C::NAME.to_owned(), call }))
}

/// Lists what a process wants done next: `steps![dispatch(key, command), schedule(timer, due)]`.
#[macro_export]
macro_rules! steps {
    ($($step:expr),* $(,)?) => { ::std::vec![$($step),*] };
}
