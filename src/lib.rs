//! Event-sourced backends in Rust, written as pure functions.
//!
//! You write what a command decides ([`Decider`]), what happens next ([`Process`]) and what is shown ([`Projection`]), and
//! declare them in one [`Application`]. Loading, storing, retries, delivery, timers, waiting for a position and an
//! orderly stop are the framework's. This crate is the facade: re-exports and this page, no code of its own.
//!
//! ```
//! use composable_rust::prelude::*;
//!
//! #[derive(Debug, Clone, Default, State)]
//! struct Counter { total: u64 }
//!
//! #[derive(Debug, Clone, PartialEq, Action)]
//! enum CounterAction {
//!     #[command] Add { amount: u32 },
//!     #[event]   Added { amount: u32 },
//! }
//!
//! impl Decider for Counter {
//!     type Action = CounterAction;
//!     type Rejection = Never;
//!
//!     fn decide(&self, command: CounterCommand, _: &Context) -> Decision<Self> {
//!         match command {
//!             CounterCommand::Add { amount } => Ok(vec![CounterEvent::Added { amount }]),
//!         }
//!     }
//!
//!     fn evolve(&mut self, event: &CounterEvent) {
//!         match event {
//!             CounterEvent::Added { amount } => self.total += u64::from(*amount),
//!         }
//!     }
//! }
//!
//! let counter: Counter = fold(&[CounterEvent::Added { amount: 2 }, CounterEvent::Added { amount: 3 }]);
//! assert_eq!(counter.total, 5);
//! ```
//!
//! | feature | what it adds |
//! |---|---|
//! | `sqlite` (default) | every storage port on one file |
//! | `postgres` | every storage port on a PostgreSQL server, for several instances |
//! | `redpanda` | the bus on brokers of the Kafka protocol |
//! | `redis` | request budgets, cached reads and sessions that instances share |
//! | `web` | HTTP routes as a part of an application |
//! | `testing` | given/when/then, memory adapters, contract suites, simulation |

pub use composable_rust_core::*;

/// What runs: the application, its commands, the in-memory Store.
pub use composable_rust_runtime as runtime;

/// Subscriptions on the log and the projection engine.
pub use composable_rust_projections as projections;

/// The embedded storage.
#[cfg(feature = "sqlite")]
pub use composable_rust_sqlite as sqlite;

/// The storage of several instances.
#[cfg(feature = "postgres")]
pub use composable_rust_postgres as postgres;

/// The bus of several instances.
#[cfg(feature = "redpanda")]
pub use composable_rust_redpanda as redpanda;

/// What several instances share beside the log.
#[cfg(feature = "redis")]
pub use composable_rust_redis as redis;

/// The HTTP side.
#[cfg(feature = "web")]
pub use composable_rust_web as web;

/// For tests.
#[cfg(feature = "testing")]
pub use composable_rust_testing as testing;

#[doc(no_inline)]
pub use composable_rust_runtime::{Application, ApplicationBuilder, ApplicationError};

#[cfg(all(doctest, feature = "sqlite", feature = "testing", feature = "web"))]
mod guides;
pub mod prelude;
