//! The contracts of the ports as suites of named tests, for our adapters and for those of others.
//!
//! Each suite is a macro that expands to one `#[test]` per case, so a failure names the sentence of the port's
//! documentation that does not hold. A macro takes the path of an async function that makes a fresh, empty adapter:
//! a [`Subject`] for the storage ports, a [`BusSubject`] for the bus, a [`TimedSubject`] for limits, caches and sessions. The crate that runs them needs no async runtime.
//!
//! ```
//! use composable_rust_testing::contract::Subject;
//! use composable_rust_testing::memory::MemoryStorage;
//!
//! async fn fresh() -> Subject {
//!     // `.holding(directory)` keeps a temporary directory or a container until the case has ended.
//!     Subject::new(MemoryStorage::new())
//! }
//!
//! mod event_store {
//!     composable_rust_testing::event_store_contract!(super::fresh);
//! }
//! mod timers {
//!     composable_rust_testing::timers_contract!(super::fresh);
//! }
//! # fn main() {}
//! ```
//!
//! An adapter of one port only (leases in Redis, say) is tested by an `OpenStorage` that opens
//! [`MemoryStorage`](crate::memory::MemoryStorage) and replaces that one field.
//!
//! Not here: how an adapter behaves when its server fails; each adapter tests that itself.
#![expect(clippy::expect_used, clippy::panic, reason = "a suite is test code, only that others run it")]
#![expect(clippy::wildcard_enum_match_arm, reason = "whatever is not the contract's answer is a failure")]
#![expect(
    clippy::missing_panics_doc,
    reason = "a case panics when its sentence does not hold, as any test does"
)]

pub mod bus;
pub mod cache;
pub mod checkpoints;
pub mod dead_letters;
pub mod event_store;
mod fixture;
pub mod leases;
pub mod rate_limits;
pub mod read_models;
mod run;
pub mod sessions;
pub mod snapshots;
mod timed;
pub mod timers;

pub use bus::{BusFixture, BusSubject};
pub use fixture::{Fixture, Subject, stream};
pub use run::{Prepare, run_case};
pub use timed::TimedSubject;

/// Expands to one `#[test]` per case; the suites' macros call it.
#[doc(hidden)]
#[macro_export]
macro_rules! contract_cases {
    ($factory:path, $suite:ident, [$($case:ident),* $(,)?]) => {
        $(
            #[test]
            fn $case() {
                $crate::contract::run_case(stringify!($suite), stringify!($case), $factory, $crate::contract::$suite::$case);
            }
        )*
    };
}

#[cfg(test)]
mod tests {
    /// The cases that a suite's sources define, and those that its macro lists.
    fn compare(sources: &[&str]) {
        let text = sources.concat();
        let mut defined: Vec<&str> = text
            .split("\npub async fn ")
            .skip(1)
            .filter_map(|rest| rest.split_once('(').map(|(name, _)| name))
            .collect();
        let listed = text.split_once("[\n").and_then(|(_, rest)| rest.split_once(']')).expect("a list").0;
        let mut listed: Vec<&str> =
            listed.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        defined.sort_unstable();
        listed.sort_unstable();
        assert_eq!(defined, listed);
    }

    #[test]
    fn every_case_of_the_event_store_suite_is_listed_in_its_macro() {
        compare(&[
            include_str!("event_store/mod.rs"),
            include_str!("event_store/appends.rs"),
            include_str!("event_store/batches.rs"),
            include_str!("event_store/commands.rs"),
            include_str!("event_store/streams.rs"),
            include_str!("event_store/log.rs"),
            include_str!("event_store/races.rs"),
        ]);
    }

    #[test]
    fn every_case_of_the_small_suites_is_listed_in_its_macro() {
        compare(&[include_str!("bus.rs")]);
        compare(&[include_str!("cache.rs")]);
        compare(&[include_str!("checkpoints.rs")]);
        compare(&[include_str!("dead_letters.rs")]);
        compare(&[include_str!("leases.rs")]);
        compare(&[include_str!("rate_limits.rs")]);
        compare(&[include_str!("sessions.rs")]);
        compare(&[include_str!("snapshots.rs")]);
        compare(&[include_str!("timers.rs")]);
    }

    #[test]
    fn every_case_of_the_read_model_suite_is_listed_in_its_macro() {
        compare(&[
            include_str!("read_models/mod.rs"),
            include_str!("read_models/commits.rs"),
            include_str!("read_models/queries.rs"),
            include_str!("read_models/generations.rs"),
        ]);
    }
}
