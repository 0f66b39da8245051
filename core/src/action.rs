//! The language of an aggregate: commands that ask, events that state what happened.

use crate::{
    Decider, DecodeError, EncodeError, EventPlace, EventSet, Keyed, RecordedEvent, SchemaVersion, StreamId,
    StreamKey,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::type_name;
use std::fmt::Debug;

/// One enum over the commands and events of an aggregate, derived with `#[derive(Action)]`.
///
/// The derive splits it into `…Command` and `…Event`, so `decide` cannot receive an event and `evolve` cannot receive
/// a command. Its back-link to the decider lets a command name what handles it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no decider's action",
    label = "`Action` is not derived for this type",
    note = "write `#[derive(Debug, Clone, PartialEq, Action)]` above the enum `{Self}`, and `#[command]` or `#[event]` on each variant"
)]
pub trait Action: From<Self::Command> + From<Self::Event> + Send + 'static {
    /// The commands.
    type Command: Command<Action = Self>;
    /// The events.
    type Event: Event<Action = Self>;
    /// What names one stream within the category; [`StreamKey`] says which texts may.
    type Key: StreamKey;
    /// What decides the commands.
    type Decider: Decider<Action = Self>;
    /// The first part of the ids of its streams.
    const CATEGORY: &'static str;

    /// Tells which half it is.
    fn split(self) -> ActionHalf<Self::Command, Self::Event>;
}

/// One of the two halves of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionHalf<C, E> {
    /// A command.
    Command(C),
    /// An event.
    Event(E),
}

/// The command half of an action.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no command of a decider",
    label = "not a command",
    note = "`#[derive(Action)]` on `CounterAction` makes `CounterCommand` of its `#[command]` variants: give one of those"
)]
pub trait Command: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The whole.
    type Action: Action<Command = Self>;

    /// The variant's name, for traces and metrics.
    fn name(&self) -> &'static str;
}

/// The event half of an action: what is stored, under stable names and versions.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no event",
    label = "not an event",
    note = "`#[derive(Action)]` on `CounterAction` makes `CounterEvent` of its `#[event]` variants: use that",
    note = "the inputs of a process are an enum that derives `Input`; the events of several aggregates, one that derives `Events`"
)]
pub trait Event: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The whole.
    type Action: Action<Event = Self>;

    /// All its types with their newest schema versions.
    const TYPES: &'static [(&'static str, SchemaVersion)];

    /// The stable name under which this event is stored.
    fn event_type(&self) -> &'static str;

    /// The schema version with which this event is stored.
    fn schema_version(&self) -> SchemaVersion;

    /// The content of the variant alone, as JSON.
    ///
    /// # Errors
    /// [`EncodeError`] when a field has no JSON form, such as a map with keys that are no text.
    fn encode(&self) -> Result<Vec<u8>, EncodeError>;

    /// The event of a stored type, version and payload; `stream` is for the error.
    ///
    /// # Errors
    /// See [`DecodeError`].
    fn decode_parts(
        stream: &StreamId,
        event_type: &str,
        schema: SchemaVersion,
        payload: &[u8],
    ) -> Result<Self, DecodeError>;
}

impl<E: Event> Keyed for E {
    type Key = <E::Action as Action>::Key;
}

impl<E: Event> EventSet for E {
    fn categories() -> Vec<&'static str> {
        vec![<E::Action as Action>::CATEGORY]
    }

    fn event_types() -> Vec<(&'static str, SchemaVersion)> {
        E::TYPES.to_vec()
    }

    fn decode(event: &RecordedEvent) -> Result<Self, DecodeError> {
        E::decode_parts(&event.stream, &event.event_type, event.schema_version, &event.payload)
            .map_err(|error| error.at(event))
    }

    fn key(event: &RecordedEvent) -> Result<Self::Key, DecodeError> {
        event.stream.key().parse().map_err(|_| DecodeError::Key {
            expected: type_name::<<E::Action as Action>::Key>(),
            place: EventPlace::of(event),
        })
    }
}
