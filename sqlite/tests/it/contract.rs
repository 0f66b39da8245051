//! The contracts of all storage ports on a fresh file each.

use composable_rust_sqlite::{Sqlite, SqliteOptions};
use composable_rust_testing::contract::Subject;

async fn fresh() -> Subject {
    let folder = tempfile::tempdir().unwrap();
    Subject::new(Sqlite::file(folder.path().join("data/app.db"))).holding(folder)
}

mod event_store {
    composable_rust_testing::event_store_contract!(super::fresh);
}

/// The same with nothing kept in memory: what is usually remembered is read from the file.
async fn forgetful() -> Subject {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions { known_streams: 1, tail_bytes: 0, ..SqliteOptions::default() };
    Subject::new(Sqlite::file(folder.path().join("data/app.db")).with_options(options)).holding(folder)
}

mod event_store_from_the_file {
    composable_rust_testing::event_store_contract!(super::forgetful);
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
