//! What a process hears.

use crate::{
    Action, ActivityCall, CommandOf, Decider, DecodeError, KeyOf, Keyed, ProcessId, RecordedEvent,
    SchemaVersion,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

/// The inputs of a process, derived with `#[derive(Input)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no process's input",
    label = "`Input` is not derived for this type",
    note = "write `#[derive(Debug, Clone, Input)]` above the enum `{Self}`"
)]
pub trait ProcessInput: Keyed<Key = ProcessId> + Debug + Clone + Send + Sync + 'static {
    /// Its timers: an enum of the `#[timer]` variants.
    type Timer: Serialize + DeserializeOwned + Debug + Clone + PartialEq + Send + Sync + 'static;

    /// Categories whose events it hears.
    fn categories() -> Vec<&'static str>;

    /// The event types it decodes with their newest schema versions, for the start-up check.
    fn event_types() -> Vec<(&'static str, SchemaVersion)>;

    /// Categories of the deciders whose refusals it hears: those to which it may dispatch.
    fn dispatches_to() -> Vec<&'static str>;

    /// Names of the activities whose outcomes it hears: those that it may call.
    fn calls() -> Vec<&'static str>;

    /// The input that an event of one of [`Self::categories`] is.
    ///
    /// # Errors
    /// See [`DecodeError`].
    fn from_event(event: &RecordedEvent) -> Result<Self, DecodeError>;

    /// The input that the refusal of a command to `category` is; `body` is an encoded [`Rejected`]. `None` when it
    /// does not hear refusals of that category.
    ///
    /// # Errors
    /// When the body does not fit.
    fn from_rejection(
        category: &str,
        body: &serde_json::value::RawValue,
    ) -> Result<Option<Self>, serde_json::Error>;

    /// The input that the outcome of `activity` is; `body` is an encoded [`Outcome`](crate::Outcome). `None` when it
    /// does not hear outcomes of that activity.
    ///
    /// # Errors
    /// When the body does not fit.
    fn from_outcome(
        activity: &str,
        body: &serde_json::value::RawValue,
    ) -> Result<Option<Self>, serde_json::Error>;

    /// The input that a timer is.
    fn from_timer(timer: Self::Timer) -> Self;
}

/// Says that an input hears the refusals of decider `D`: only then commands to it can be dispatched. Derived with
/// `#[derive(Input)]` from `#[rejected] Refused(Rejected<D>)`.
#[diagnostic::on_unimplemented(
    message = "this process dispatches a command to `{D}` and does not hear its refusals",
    label = "nobody hears when `{D}` refuses",
    note = "add a variant to `{Self}`: `#[rejected] Refused(Rejected<{D}>)`"
)]
pub trait HearsRejected<D: Decider> {}

/// Says that an input hears the outcomes of call `C`: only then it can be made. Derived with `#[derive(Input)]` from
/// `#[outcome] Done(Outcome<C>)`.
#[diagnostic::on_unimplemented(
    message = "this process makes the call `{C}` and does not hear its outcome",
    label = "nobody hears what came of `{C}`",
    note = "add a variant to `{Self}`: `#[outcome] Done(Outcome<{C}>)`"
)]
pub trait HearsOutcome<C: ActivityCall> {}

/// A command of a process was refused.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(
    serialize = "CommandOf<D>: Serialize, D::Rejection: Serialize",
    deserialize = "CommandOf<D>: DeserializeOwned, D::Rejection: DeserializeOwned"
))]
pub struct Rejected<D: Decider> {
    /// The text of the aggregate's key; [`Self::key`] parses it.
    #[serde(rename = "key")]
    key_text: String,
    /// The command.
    pub command: CommandOf<D>,
    /// Why it was refused.
    pub rejection: D::Rejection,
}

/// A derived one would ask the decider's state for `PartialEq`.
impl<D: Decider> PartialEq for Rejected<D> {
    fn eq(&self, other: &Self) -> bool {
        self.key_text == other.key_text && self.command == other.command && self.rejection == other.rejection
    }
}

impl<D: Decider> Rejected<D> {
    /// The category of the decider that refused.
    pub const CATEGORY: &'static str = <D::Action as Action>::CATEGORY;

    /// The refusal of `command` to the aggregate `key`.
    pub fn new(key: &KeyOf<D>, command: CommandOf<D>, rejection: D::Rejection) -> Self {
        Self { key_text: key.to_string(), command, rejection }
    }

    /// The aggregate's key; `None` if the stored text is none, which the framework never writes.
    pub fn key(&self) -> Option<KeyOf<D>> {
        self.key_text.parse().ok()
    }
}
