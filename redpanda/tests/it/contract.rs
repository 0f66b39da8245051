//! The contract of the bus, under names of its own for each case.

use crate::support::options;
use composable_rust_redpanda::RedpandaEventBus;
use composable_rust_testing::contract::BusSubject;

async fn fresh() -> BusSubject {
    BusSubject::new(RedpandaEventBus::connect(options()).await.unwrap())
}

mod bus {
    composable_rust_testing::bus_contract!(super::fresh);
}
