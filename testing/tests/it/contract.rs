//! The memory adapters and the in-process bus obey the contract of every port.

use composable_rust_runtime::bus::{InProcessBus, InProcessBusOptions};
use composable_rust_testing::contract::{BusSubject, Subject};
use composable_rust_testing::memory::{MemoryBus, MemoryStorage};
use composable_rust_testing::test_environment;

async fn fresh() -> Subject {
    Subject::new(MemoryStorage::new())
}

mod event_store {
    composable_rust_testing::event_store_contract!(super::fresh);
}

mod timers {
    composable_rust_testing::timers_contract!(super::fresh);
}

mod snapshots {
    composable_rust_testing::snapshots_contract!(super::fresh);
}

mod read_models {
    composable_rust_testing::read_models_contract!(super::fresh);
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

mod in_process_bus {
    use super::{BusSubject, InProcessBus};

    async fn fresh() -> BusSubject {
        BusSubject::new(InProcessBus::default())
    }

    composable_rust_testing::bus_contract!(fresh);
}

mod in_process_bus_with_three_partitions {
    use super::{BusSubject, InProcessBus, InProcessBusOptions};

    async fn fresh() -> BusSubject {
        let options = InProcessBusOptions { partitions: 3, ..InProcessBusOptions::default() };
        BusSubject::new(InProcessBus::new(options))
    }

    composable_rust_testing::bus_contract!(fresh);
}

mod memory_bus {
    use super::{BusSubject, MemoryBus, test_environment};

    async fn fresh() -> BusSubject {
        BusSubject::new(MemoryBus::new(&test_environment().environment))
    }

    composable_rust_testing::bus_contract!(fresh);
}
