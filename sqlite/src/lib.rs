//! Every storage port on one SQLite file: the embedded default of Composable Rust.
//!
//! [`Sqlite`] names a file; opening it gives the event store, snapshots, timers, read models, checkpoints, leases and
//! dead letters of one application. Nothing else has to run. What an answered call wrote survives a crash of the
//! process and of the machine (`WAL`, `synchronous = FULL`).
//!
//! One process at a time opens a file: SQLite has one writer, and this adapter relies on being it. Several instances
//! side by side need PostgreSQL. The files here mirror those of the PostgreSQL adapter; the differences are
//! `connections.rs` and `lock.rs`, which know what only an embedded database needs.
//!
//! ```no_run
//! use composable_rust_sqlite::{Sqlite, SqliteOptions};
//! let storage = Sqlite::file("counter.db");
//! let with_more_readers =
//!     Sqlite::file("counter.db").with_options(SqliteOptions { readers: 8, ..SqliteOptions::default() });
//! ```

mod options;

mod open;

mod connections;
mod error;
mod lock;
mod rows;
mod schema;

mod checkpoints;
mod dead_letters;
mod event_store;
mod leases;
mod read_models;
mod snapshots;
mod timers;

pub use open::{ClaimedSqlite, Sqlite};
pub use options::SqliteOptions;
