//! The vocabulary of Composable Rust and every port (trait) that adapters implement.
//!
//! Pure functions over data: [`Decider`] (command → events), [`Process`] (event → what to do next) and [`Projection`]
//! (event → rows). This crate refuses I/O, an async runtime, SQL and HTTP; those are the adapters' and the runtime's.

// Generated code says this crate's name, inside it too.
extern crate self as composable_rust_core;

mod action;
mod causes;
pub mod compose;
mod decider;
mod decode;
pub mod effect;
mod environment;
mod event;
mod id;
mod keyed;
pub mod port;
mod process;
mod projection;
mod reducer;
mod shape;
mod signal;
mod version;

pub use action::{Action, ActionHalf, Command, Event};
pub use causes::{describe, error_chain};
pub use decider::{
    CommandOf, Context, Decider, DeciderOf, Decision, EncodeError, EventOf, KeyOf, Never, Rejection,
    RejectionKind, State, fold, stream_of,
};
pub use decode::{DecodeError, EventPlace, Upcaster, decode_payload};
pub use effect::{Effect, EffectDescription, EffectId, EffectKind, Effects, Notification};
pub use environment::{
    Clock, Environment, FixedClock, IdGenerator, Randomness, SeededRandom, SequentialIds, Spawner, elapsed,
    later, panic_text, uuid_v7,
};
pub use event::{EventMetadata, EventSet, EventType, NewEvent, RawMetadata, Recorded, RecordedEvent};
pub use id::{
    CausationId, CommandId, CorrelationId, DeadLetterId, EventId, InvalidId, MAX_CATEGORY_BYTES,
    MAX_KEY_BYTES, StreamId, StreamKey, TimerId, UserId, derived_uuid,
};
pub use keyed::{IntoKey, Keyed};
pub use process::{
    Activity, ActivityCall, ActivityContext, ActivityError, ActivityPolicy, HearsOutcome, HearsRejected,
    Outcome, Process, ProcessEffect, ProcessId, ProcessInput, ProcessStart, Rejected, Step, Steps, call,
    cancel, dispatch, process_category, process_stream, schedule,
};
pub use projection::{Fault, Folded, IndexColumn, Projection, Row, RowBatch, RowDecodeError, Rows};
pub use reducer::{Decided, DeciderReducer, FnReducer, Reducer, reducer};
pub use shape::{Shape, Shaped};
pub use signal::Signal;
pub use version::{ExpectedVersion, Position, SchemaVersion, StreamVersion, TooLarge};

pub use composable_rust_macros::{Action, Call, Data, Events, Id, Input, Label, Rejection, Row, State};

/// Moments in time, as events, rows and [`Clock`]s have them: this is the type of the `jiff` that this crate uses.
pub use jiff::Timestamp;
/// What ids wrap: this is the type of the `uuid` that this crate uses.
pub use uuid::Uuid;

/// JSON values, as upcasters see them.
pub mod json {
    pub use serde_json::{Map, Value, json};
}

/// What generated code refers to, so that an application needs no serde in its own manifest. Not for people.
#[doc(hidden)]
pub mod __private {
    pub use composable_rust_core::id::check_key_of as check_key;
    pub use composable_rust_core::keyed::joined;
    pub use composable_rust_core::shape::{Probe, Unshaped};
    pub use {schemars, serde, serde_json, uuid};
}
