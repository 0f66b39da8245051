//! Every storage port on PostgreSQL: the production shape of Composable Rust.
//!
//! [`Postgres`] names a database; opening it gives the event store, snapshots, timers, read models, checkpoints, leases
//! and dead letters of one application. Several instances may have it open, each with all rights: appends check the
//! versions of their streams in the database, leases and fences say who does what must be done once, and readers of the
//! log never miss an event (`docs/adr/0012`).
//!
//! The files here mirror those of the SQLite adapter; `horizon.rs` and `wake.rs` know what only several writers need.
//!
//! ```no_run
//! use composable_rust_postgres::{Postgres, PostgresOptions};
//! let storage = Postgres::connect("postgres://app:secret@localhost/app");
//! let behind_a_pooler = Postgres::connect("postgres://app:secret@pooler:6432/app")
//!     .with_direct("postgres://app:secret@localhost/app")
//!     .with_options(PostgresOptions { statements: 0, ..PostgresOptions::default() });
//! ```

mod options;

mod open;

mod connections;
mod error;
mod horizon;
mod rows;
mod schema;
mod wake;

mod checkpoints;
mod dead_letters;
mod event_store;
mod leases;
mod read_models;
mod snapshots;
mod timers;

pub use open::Postgres;
pub use options::{LeaseClock, PostgresOptions};
