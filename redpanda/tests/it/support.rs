//! Buses with topics and groups of their own.

use composable_rust_redpanda::RedpandaOptions;
use std::sync::atomic::{AtomicU32, Ordering};

/// A broker that other tests use too.
pub(crate) fn brokers() -> String {
    variable("TEST_KAFKA_BROKERS")
}

/// What `cargo xtask services` says.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: eval \"$(cargo xtask services up --only kafka)\""))
}

#[expect(clippy::disallowed_methods, reason = "runs share a broker and must not meet")]
fn any_number() -> u64 {
    rand::random()
}

/// Options under a name that no other test has, in this run or another.
pub(crate) fn options() -> RedpandaOptions {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let (run, number) = (any_number(), NEXT.fetch_add(1, Ordering::Relaxed));
    let prefix = format!("test-{run:x}-{number}.");
    RedpandaOptions { prefix, partitions: 4, ..RedpandaOptions::new(brokers()) }
}
