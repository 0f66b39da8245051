//! Given/when/then: deciders, processes and projections as sentences, without async and without a store.
//!
//! Each test also proves for free what a user would otherwise find out in production: events, commands, refusals and
//! states survive their encoding, a decision is the same when it is made twice, and a projection gives the same rows
//! however its events are batched. A failure shows the difference line by line.
//!
//! ```
//! use composable_rust_core::{Action, Context, Decider, Decision, Rejection, State};
//! use composable_rust_testing::spec::{given, given_nothing};
//!
//! #[derive(Debug, Clone, Default, State)]
//! struct Counter { total: u32 }
//!
//! #[derive(Debug, Clone, PartialEq, Action)]
//! enum CounterAction {
//!     #[command] Add { amount: u32 },
//!     #[event]   Added { amount: u32 },
//! }
//!
//! #[derive(Debug, Clone, PartialEq, Rejection)]
//! struct TooLarge;
//!
//! impl Decider for Counter {
//!     type Action = CounterAction;
//!     type Rejection = TooLarge;
//!
//!     fn decide(&self, command: CounterCommand, _: &Context) -> Decision<Self> {
//!         let CounterCommand::Add { amount } = command;
//!         self.total.checked_add(amount).ok_or(TooLarge)?;
//!         Ok(vec![CounterEvent::Added { amount }])
//!     }
//!
//!     fn evolve(&mut self, event: &CounterEvent) {
//!         let CounterEvent::Added { amount } = event;
//!         self.total += amount;
//!     }
//! }
//!
//! use CounterCommand::Add;
//! use CounterEvent::Added;
//!
//! given_nothing::<Counter>()
//!     .when(Add { amount: 1 })
//!     .then([Added { amount: 1 }])
//!     .then_state(|counter| assert_eq!(counter.total, 1));
//! given::<Counter>([Added { amount: u32::MAX }]).when(Add { amount: 1 }).then_rejected(TooLarge);
//! ```

mod decider;
mod failure;
mod process;
mod projection;
mod wire;

pub use decider::{Given, Then, When, given, given_nothing};
pub use process::{GivenInputs, ThenSteps, WhenInput, given_inputs, given_no_inputs};
pub use projection::{Projected, ThenRows, project};

use composable_rust_core::{
    CommandId, EventId, Keyed, Position, RawMetadata, Recorded, StreamVersion, later, uuid_v7,
};
use jiff::Timestamp;
use std::time::Duration;

/// The time of everything that has no other: 2026-01-01T00:00:00Z.
pub const START: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// The id of a command that has no other.
pub fn command_id() -> CommandId {
    CommandId::from_uuid(uuid_v7(START, 0, 1))
}

/// A body in the envelope of the `number`-th event of the log.
fn record<B: Keyed>(body: B, key: B::Key, number: u32, recorded_at: Timestamp) -> Recorded<B> {
    Recorded {
        body,
        key,
        position: Position::from(number),
        version: StreamVersion::from(number),
        id: EventId::from_uuid(uuid_v7(recorded_at, 1, u64::from(number))),
        recorded_at,
        metadata: RawMetadata::from_bytes("{}"),
    }
}

/// The time of the `number`-th given event or input, from 1: one second after the other, the first at [`START`].
fn time_of(number: u32) -> Timestamp {
    later(START, Duration::from_secs(u64::from(number.saturating_sub(1))))
}
