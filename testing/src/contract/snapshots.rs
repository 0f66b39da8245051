//! The contract of the snapshot store.

use super::fixture::{Fixture, stream};
use bytes::Bytes;
use composable_rust_core::port::Snapshot;
use composable_rust_core::{SchemaVersion, StreamVersion};

/// Runs the contract of [`SnapshotStore`](composable_rust_core::port::SnapshotStore) on what `factory` makes: an
/// `async fn() -> Subject`, see [the module's example](crate::contract).
#[macro_export]
macro_rules! snapshots_contract {
    ($factory:path) => {
        $crate::contract_cases!(
            $factory,
            snapshots,
            [
                a_stream_has_no_snapshot_at_first,
                a_snapshot_comes_back_as_it_was_saved,
                a_newer_snapshot_replaces_an_older_one,
                an_older_snapshot_never_replaces_a_newer_one,
                a_snapshot_of_another_schema_always_replaces,
                streams_have_snapshots_of_their_own,
                snapshots_survive_a_restart,
                of_racing_snapshots_the_newest_stays,
            ]
        );
    };
}

fn snapshot(version: u32, schema: u32) -> Snapshot {
    Snapshot {
        version: StreamVersion::from(version),
        schema: SchemaVersion::new(schema),
        state: Bytes::from(format!("state {version} of shape {schema} \u{1f39f}\0")),
    }
}

async fn save(fixture: &Fixture, key: &str, snapshot: Snapshot) {
    fixture.storage.snapshots.save_snapshot(&stream(key), snapshot).await.expect("a snapshot saved");
}

async fn load(fixture: &Fixture, key: &str) -> Option<Snapshot> {
    fixture.storage.snapshots.load_snapshot(&stream(key)).await.expect("a snapshot or none")
}

/// Nothing was saved, though the stream may exist.
pub async fn a_stream_has_no_snapshot_at_first(fixture: Fixture) {
    fixture.append("a", 3).await;
    assert_eq!(load(&fixture, "a").await, None);
    assert_eq!(load(&fixture, "unknown").await, None);
}

/// Version, schema and every byte of the state.
pub async fn a_snapshot_comes_back_as_it_was_saved(fixture: Fixture) {
    save(&fixture, "a", snapshot(7, 3)).await;
    assert_eq!(load(&fixture, "a").await, Some(snapshot(7, 3)));
    let large = Snapshot { state: vec![0xfe; 3 * 1024 * 1024].into(), ..snapshot(8, 3) };
    save(&fixture, "a", large.clone()).await;
    assert_eq!(load(&fixture, "a").await, Some(large));
}

/// One snapshot is kept, the newest.
pub async fn a_newer_snapshot_replaces_an_older_one(fixture: Fixture) {
    for version in [1, 2, 30] {
        save(&fixture, "a", snapshot(version, 1)).await;
        assert_eq!(load(&fixture, "a").await, Some(snapshot(version, 1)));
    }
}

/// A slow writer does not undo a fast one.
pub async fn an_older_snapshot_never_replaces_a_newer_one(fixture: Fixture) {
    save(&fixture, "a", snapshot(30, 1)).await;
    for version in [29, 1] {
        save(&fixture, "a", snapshot(version, 1)).await;
        assert_eq!(load(&fixture, "a").await, Some(snapshot(30, 1)));
    }
}

/// The shape that is written now counts, also after a return to older code.
pub async fn a_snapshot_of_another_schema_always_replaces(fixture: Fixture) {
    for (version, schema) in [(30, 1), (10, 2), (5, 1)] {
        save(&fixture, "a", snapshot(version, schema)).await;
        assert_eq!(load(&fixture, "a").await, Some(snapshot(version, schema)));
    }
}

/// Names are compared whole.
pub async fn streams_have_snapshots_of_their_own(fixture: Fixture) {
    for (version, key) in [(1, "a"), (2, "A"), (3, "a%"), (4, "a_")] {
        save(&fixture, key, snapshot(version, 1)).await;
    }
    for (version, key) in [(1, "a"), (2, "A"), (3, "a%"), (4, "a_")] {
        assert_eq!(load(&fixture, key).await, Some(snapshot(version, 1)), "{key}");
    }
}

/// A cache, but one that outlives the process.
pub async fn snapshots_survive_a_restart(mut fixture: Fixture) {
    save(&fixture, "a", snapshot(7, 3)).await;
    fixture.restart().await;
    assert_eq!(load(&fixture, "a").await, Some(snapshot(7, 3)));
}

/// In whichever order concurrent saves take effect.
pub async fn of_racing_snapshots_the_newest_stays(fixture: Fixture) {
    let mut racing = tokio::task::JoinSet::new();
    for n in 1..=20 {
        let snapshots = std::sync::Arc::clone(&fixture.storage.snapshots);
        racing.spawn(async move { snapshots.save_snapshot(&stream("a"), snapshot(n * 7 % 20 + 1, 1)).await });
    }
    for saved in racing.join_all().await {
        saved.expect("an older snapshot is no failure");
    }
    assert_eq!(load(&fixture, "a").await, Some(snapshot(20, 1)));
}
