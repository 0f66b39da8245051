//! Leases between instances whose clocks are apart.

use crate::support::{TestDatabase, close, skewed};
use composable_rust_core::elapsed;
use composable_rust_core::port::OpenStorage;
use std::time::Duration;

/// Half an hour, in microseconds.
const SKEW: i64 = 30 * 60 * 1_000_000;

#[tokio::test]
async fn the_servers_clock_ends_a_lease_however_far_the_clocks_of_instances_are_apart() {
    let database = TestDatabase::schema().await;
    let (slow, fast) = (skewed(-SKEW), skewed(SKEW));
    let behind = database.storage().open(&slow).await.unwrap();
    let ahead = database.storage().open(&fast).await.unwrap();
    let ttl = Duration::from_mins(5);
    let held = behind.leases.acquire("work", "behind", ttl).await.unwrap().unwrap();
    // Its clock says that the lease has ended long ago.
    assert!(fast.now() > held.until && elapsed(held.until, fast.now()) > ttl);
    assert_eq!(ahead.leases.acquire("work", "ahead", ttl).await.unwrap(), None);
    // And its own clock, that it has just begun: it has not.
    let short = Duration::from_millis(20);
    behind.leases.acquire("brief", "behind", short).await.unwrap().unwrap();
    let mut beside = database.connect().await;
    sqlx::raw_sql("SELECT pg_sleep(0.05)").execute(&mut beside).await.unwrap();
    let taken = ahead.leases.acquire("brief", "ahead", ttl).await.unwrap().unwrap();
    assert_eq!(taken.fence, 2, "another holder, another fence");
    assert_eq!(behind.leases.acquire("brief", "behind", short).await.unwrap(), None);
    close(&behind).await;
    close(&ahead).await;
}
