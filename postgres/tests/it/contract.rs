//! The contracts of all storage ports on a fresh schema each.

use crate::support::TestDatabase;
use composable_rust_postgres::{LeaseClock, PostgresOptions};
use composable_rust_testing::contract::Subject;

/// The suites move the clock.
fn options() -> PostgresOptions {
    PostgresOptions { lease_clock: LeaseClock::Environment, ..PostgresOptions::default() }
}

async fn fresh() -> Subject {
    let database = TestDatabase::schema().await;
    Subject::new(database.storage_with(options())).holding(database)
}

mod event_store {
    composable_rust_testing::event_store_contract!(super::fresh);
}

/// The same as it is behind a pooler in transaction mode: nothing prepared, every statement in a transaction.
async fn unprepared() -> Subject {
    let database = TestDatabase::schema().await;
    Subject::new(database.storage_with(PostgresOptions { statements: 0, ..options() })).holding(database)
}

mod event_store_without_prepared_statements {
    composable_rust_testing::event_store_contract!(super::unprepared);
}

mod timers {
    composable_rust_testing::timers_contract!(super::fresh);
}

mod read_models {
    composable_rust_testing::read_models_contract!(super::fresh);
}

mod snapshots {
    composable_rust_testing::snapshots_contract!(super::fresh);
}

mod checkpoints {
    composable_rust_testing::checkpoints_contract!(super::fresh);
}

mod leases {
    composable_rust_testing::leases_contract!(super::fresh);
}

mod dead_letters {
    composable_rust_testing::dead_letters_contract!(super::fresh);
}
