//! The memory adapters obey the contract of every port.

use composable_rust_testing::contract::Subject;
use composable_rust_testing::memory::MemoryStorage;

async fn fresh() -> Subject {
    Subject::new(MemoryStorage::new())
}

mod event_store {
    composable_rust_testing::event_store_contract!(super::fresh);
}

mod timers {
    composable_rust_testing::timers_contract!(super::fresh);
}

mod read_models {
    composable_rust_testing::read_models_contract!(super::fresh);
}
