//! The event-sourced aggregate: what a command decides and how an event changes the state.

use crate::{Action, CommandId, SchemaVersion, Shaped, StreamId, derived_uuid, uuid_v7};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::error::Error;
use std::fmt::Debug;
use uuid::Uuid;

/// A value that can be saved and loaded: derived with `#[derive(State)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no state that can be saved",
    label = "`State` is not derived for this type",
    note = "write `#[derive(Debug, Clone, Default, State)]` above `{Self}`"
)]
pub trait State: Shaped + Clone + Debug + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The version of its shape, from `#[state(schema = n)]`. A snapshot of another version is ignored and rebuilt, and
    /// so is one of another [`Shape`](crate::Shape).
    const SCHEMA: SchemaVersion;
}

/// The commands of a decider.
pub type CommandOf<D> = <<D as Decider>::Action as Action>::Command;
/// The events of a decider.
pub type EventOf<D> = <<D as Decider>::Action as Action>::Event;
/// The keys of a decider's streams.
pub type KeyOf<D> = <<D as Decider>::Action as Action>::Key;
/// The decider of a command.
pub type DeciderOf<C> = <<C as crate::Command>::Action as Action>::Decider;
/// What a decider answers: events to append (none: accepted, nothing to do), or a refusal.
pub type Decision<D> = Result<Vec<EventOf<D>>, <D as Decider>::Rejection>;

/// An event-sourced aggregate, written as two pure functions over its state.
///
/// `decide` sees `&self` only, so the state can change through `evolve` alone, and replay and live cannot differ.
///
/// ```
/// use composable_rust_core::{Action, Context, Decider, Decision, Rejection, State};
///
/// #[derive(Debug, Clone, Default, State)]
/// struct Counter { total: u32 }
///
/// #[derive(Debug, Clone, PartialEq, Action)]
/// enum CounterAction {
///     #[command] Add { amount: u32 },
///     #[event]   Added { amount: u32 },
/// }
///
/// #[derive(Debug, Clone, PartialEq, Rejection)]
/// struct TooLarge;
///
/// impl Decider for Counter {
///     type Action = CounterAction;
///     type Rejection = TooLarge;
///     fn decide(&self, command: CounterCommand, _: &Context) -> Decision<Self> {
///         match command {
///             CounterCommand::Add { amount } if self.total.checked_add(amount).is_none() => Err(TooLarge),
///             CounterCommand::Add { amount } => Ok(vec![CounterEvent::Added { amount }]),
///         }
///     }
///     fn evolve(&mut self, event: &CounterEvent) {
///         match event { CounterEvent::Added { amount } => self.total += amount }
///     }
/// }
/// ```
pub trait Decider: State + Default {
    /// Its commands and events.
    type Action: Action<Decider = Self>;
    /// How it refuses.
    type Rejection: Rejection;

    /// Decides a command on the present state: the events that follow from it, or why not.
    ///
    /// # Errors
    /// The domain's refusal; nothing is appended then.
    fn decide(&self, command: CommandOf<Self>, context: &Context) -> Decision<Self>;

    /// Changes the state by an event that has happened: total, infallible, without a clock.
    fn evolve(&mut self, event: &EventOf<Self>);
}

/// The stream of a decider's aggregate with `key`.
///
/// # Errors
/// [`crate::InvalidId`] when the key's text is not allowed in a stream id.
pub fn stream_of<D: Decider>(key: &KeyOf<D>) -> Result<StreamId, crate::InvalidId> {
    StreamId::new(<D::Action as Action>::CATEGORY, &key.to_string())
}

/// A state folded from events.
pub fn fold<'a, D: Decider>(events: impl IntoIterator<Item = &'a EventOf<D>>) -> D {
    let mut state = D::default();
    for event in events {
        state.evolve(event);
    }
    state
}

/// How a refusal shows outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RejectionKind {
    /// The state does not allow it now (HTTP 409).
    Conflict,
    /// What it is about does not exist (404).
    NotFound,
    /// The caller may not (403).
    Forbidden,
    /// It was possible once and no more (410).
    Gone,
    /// The request can never be right (422).
    Invalid,
}

/// A domain's refusal: an expected answer, not a failure. Derived with `#[derive(Rejection)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no decider's refusal",
    label = "`Rejection` is not derived for this type",
    note = "write `#[derive(Debug, Clone, PartialEq, Rejection)]` above `{Self}`; a decider that refuses nothing has `type Rejection = Never;`"
)]
pub trait Rejection:
    Error + Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The stable name that programs check, for example `seats_unavailable`.
    fn code(&self) -> &str;

    /// How it shows outside.
    fn kind(&self) -> RejectionKind {
        RejectionKind::Conflict
    }
}

/// For aggregates that refuse nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
pub enum Never {}

impl Rejection for Never {
    fn code(&self) -> &str {
        match *self {}
    }
}

/// An event or command has no JSON form; a defect of its type, such as a map with keys that are no text.
#[derive(Debug, thiserror::Error)]
#[error("{what} cannot be encoded")]
pub struct EncodeError {
    /// The type's name.
    pub what: &'static str,
    /// The cause.
    #[source]
    pub source: serde_json::Error,
}

/// What a decision may know besides state and command: the time and ids, both fixed for the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    now: Timestamp,
    command_id: CommandId,
    part: u32,
}

impl Context {
    /// A context; the runtime and tests make one for each command.
    pub const fn new(now: Timestamp, command_id: CommandId) -> Self {
        Self { now, command_id, part: 0 }
    }

    /// The context of the `part`-th aggregate of a command over several, so that their fresh ids differ.
    #[must_use]
    pub const fn of_part(mut self, part: u32) -> Self {
        self.part = part;
        self
    }

    /// The store's time when the command was received.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// The id of the command that is decided.
    pub const fn command_id(&self) -> CommandId {
        self.command_id
    }

    /// The `ordinal`-th fresh id of this command, as any type over a UUID. The same command makes the same ids, so a
    /// retry cannot make a second ticket. The form is `UUIDv7` with the time of the command's id.
    pub fn id<T: From<Uuid>>(&self, ordinal: u32) -> T {
        T::from(derived_v7(self.command_id.as_uuid(), [self.part, ordinal], self.now))
    }
}

/// A `UUIDv7` that `seed` and `ordinals` determine; its time is that of `seed` where it has one, else `fallback`.
fn derived_v7(seed: Uuid, ordinals: [u32; 2], fallback: Timestamp) -> Uuid {
    let moment = seed
        .get_timestamp()
        .filter(|_| seed.get_version_num() == 7)
        .and_then(|time| {
            i64::try_from(time.to_unix().0 * 1000 + u64::from(time.to_unix().1) / 1_000_000).ok()
        })
        .and_then(|millis| Timestamp::from_millisecond(millis).ok())
        .unwrap_or(fallback);
    let name =
        derived_uuid(&[&seed.to_string(), &ordinals[0].to_string(), &ordinals[1].to_string()]).into_bytes();
    let high = u16::from_be_bytes([name[0], name[1]]);
    let low =
        u64::from_be_bytes([name[8], name[9], name[10], name[11], name[12], name[13], name[14], name[15]]);
    uuid_v7(moment, high, low)
}
