//! Writing batches: rows and checkpoint together, replays, fences.

use super::{
    SUBSCRIPTION, ask, batch, body, commit, get, named, priced, put, query, shows, text, titled, write,
};
use crate::contract::fixture::Fixture;
use bytes::Bytes;
use composable_rust_core::Position;
use composable_rust_core::port::{Filter, IndexValue, RowChange, StoreError, StoredRow, ViewBatch};
use std::sync::Arc;
use tokio::task::JoinSet;

fn at(position: u32) -> Position {
    Position::from(position)
}

fn under(fence: u64, batch: ViewBatch) -> ViewBatch {
    let checkpoint = composable_rust_core::port::Checkpoint { fence, ..batch.checkpoint };
    ViewBatch { checkpoint, ..batch }
}

fn delete(key: &str) -> RowChange {
    RowChange::Delete { key: key.into() }
}

/// Prepared and never written.
pub async fn a_new_read_model_is_empty_at_position_zero(fixture: Fixture) {
    fixture.storage.views.prepare(&shows(1)).await.expect("a prepared read model");
    assert_eq!(get(&fixture, "a").await, (None, Position::ZERO));
    let (page, position) = ask(&fixture, &query(vec![])).await.expect("a page");
    assert_eq!((page.items.len(), page.total, position), (0, 0, Position::ZERO));
}

/// Every start of every instance prepares.
pub async fn preparing_again_changes_nothing(fixture: Fixture) {
    write(&fixture, vec![titled("a", "A")]).await;
    fixture.storage.views.prepare(&shows(1)).await.expect("prepared again");
    assert_eq!(get(&fixture, "a").await, (Some(body("a")), at(1)));
}

/// Both are there afterwards, and a query answers the checkpoint.
pub async fn a_batch_writes_rows_and_checkpoint(fixture: Fixture) {
    write(&fixture, vec![titled("a", "A"), titled("b", "B")]).await;
    commit(&fixture, batch(shows(1), vec![titled("c", "C")], 17)).await;
    assert_eq!(get(&fixture, "a").await, (Some(body("a")), at(17)));
    assert_eq!(get(&fixture, "missing").await, (None, at(17)));
    let (page, position) = ask(&fixture, &query(vec![])).await.expect("a page");
    let expected = ["a", "b", "c"].map(|key| StoredRow { key: key.into(), body: body(key) });
    assert_eq!((page.items, page.total, position), (expected.to_vec(), 3, at(17)));
}

/// The old row is nowhere to be found.
pub async fn a_put_replaces_the_row_and_its_indexed_values(fixture: Fixture) {
    write(&fixture, vec![titled("a", "Old")]).await;
    let replaced = RowChange::Put {
        key: "a".into(),
        body: Bytes::from_static(b"new"),
        indexes: vec![IndexValue::Null, text("New"), IndexValue::Null],
    };
    commit(&fixture, batch(shows(1), vec![replaced], 2)).await;
    assert_eq!(get(&fixture, "a").await, (Some(Bytes::from_static(b"new")), at(2)));
    for (title, count) in [("Old", 0), ("New", 1)] {
        let asked = query(vec![Filter::Equals("title".into(), text(title))]);
        assert_eq!(ask(&fixture, &asked).await.expect("a page").0.total, count, "titled {title}");
    }
}

/// Deleting is idempotent; a deleted key may come back.
pub async fn a_delete_removes_the_row_and_a_missing_one_is_no_failure(fixture: Fixture) {
    write(&fixture, vec![titled("a", "A"), titled("b", "B")]).await;
    commit(&fixture, batch(shows(1), vec![delete("a"), delete("never")], 2)).await;
    assert_eq!(get(&fixture, "a").await, (None, at(2)));
    let (page, _) = ask(&fixture, &query(vec![])).await.expect("a page");
    assert_eq!(page.total, 1);
    commit(&fixture, batch(shows(1), vec![titled("a", "A")], 3)).await;
    assert_eq!(get(&fixture, "a").await, (Some(body("a")), at(3)));
}

/// Events that concern no row are progress too.
pub async fn a_batch_without_changes_moves_the_checkpoint(fixture: Fixture) {
    write(&fixture, vec![titled("a", "A")]).await;
    commit(&fixture, batch(shows(1), vec![], 9)).await;
    assert_eq!(get(&fixture, "a").await, (Some(body("a")), at(9)));
}

/// Replaying a part of the log changes nothing, and is no failure.
pub async fn a_batch_at_or_before_the_checkpoint_writes_nothing(fixture: Fixture) {
    write(&fixture, vec![titled("a", "A")]).await;
    commit(&fixture, batch(shows(1), vec![titled("b", "B")], 5)).await;
    for position in [5, 4, 1] {
        commit(&fixture, batch(shows(1), vec![delete("a"), titled("c", "C")], position)).await;
    }
    assert_eq!(get(&fixture, "a").await, (Some(body("a")), at(5)));
    assert_eq!(get(&fixture, "c").await, (None, at(5)));
}

/// Who has lost the lease writes neither rows nor checkpoint.
pub async fn a_lower_fence_is_refused_and_writes_nothing(fixture: Fixture) {
    fixture.storage.views.prepare(&shows(1)).await.expect("a prepared read model");
    commit(&fixture, under(7, batch(shows(1), vec![titled("a", "A")], 1))).await;
    let stale = under(6, batch(shows(1), vec![delete("a"), titled("b", "B")], 2));
    let refused = fixture.storage.views.commit(stale).await;
    assert!(matches!(refused, Err(StoreError::Fenced { .. })), "got {refused:?}");
    assert_eq!(get(&fixture, "a").await, (Some(body("a")), at(1)));
    assert_eq!(get(&fixture, "b").await, (None, at(1)));
}

/// The new holder goes on; from then on the old one is refused.
pub async fn a_higher_fence_takes_over(fixture: Fixture) {
    fixture.storage.views.prepare(&shows(1)).await.expect("a prepared read model");
    for (fence, position) in [(1, 1), (1, 2), (5, 3), (5, 4)] {
        commit(&fixture, under(fence, batch(shows(1), vec![priced("a", 1)], position))).await;
    }
    let refused = fixture.storage.views.commit(under(1, batch(shows(1), vec![], 5))).await;
    assert!(matches!(refused, Err(StoreError::Fenced { .. })), "got {refused:?}");
    assert_eq!(get(&fixture, "a").await.1, at(4));
}

/// A new holder that has nothing to write yet, or only replays, is noticed all the same.
pub async fn a_higher_fence_is_saved_without_progress_and_shuts_the_old_holder_out(fixture: Fixture) {
    fixture.storage.views.prepare(&shows(1)).await.expect("a prepared read model");
    commit(&fixture, under(1, batch(shows(1), vec![titled("a", "A")], 5))).await;
    for (fence, position) in [(2, 5), (3, 0), (4, 4)] {
        commit(&fixture, under(fence, batch(shows(1), vec![delete("a")], position))).await;
        for late in [4, 5, 6] {
            let change = vec![titled("late", "B")];
            let refused = fixture.storage.views.commit(under(fence - 1, batch(shows(1), change, late))).await;
            assert!(matches!(refused, Err(StoreError::Fenced { .. })), "at {late} got {refused:?}");
        }
    }
    assert_eq!(get(&fixture, "a").await, (Some(body("a")), at(5)));
    assert_eq!(get(&fixture, "late").await.0, None);
    let first = || Fixture::checkpoint("never ran", 0, 3);
    let new = named("new", 1);
    fixture.storage.views.prepare(&new).await.expect("a prepared read model");
    let empty = ViewBatch { model: new.clone(), changes: vec![], checkpoint: first(), fenced_by: None };
    commit(&fixture, empty).await;
    let refused = fixture.storage.checkpoints.save_checkpoint(Fixture::checkpoint("never ran", 1, 2)).await;
    assert!(matches!(refused, Err(StoreError::Fenced { .. })), "got {refused:?}");
}

/// Work out of turn keeps progress under a name of its own, but the lease is that of the subscription.
pub async fn a_batch_can_be_fenced_by_another_subscription(fixture: Fixture) {
    fixture.storage.views.prepare(&shows(1)).await.expect("a prepared read model");
    commit(&fixture, under(5, batch(shows(1), vec![titled("a", "A")], 9))).await;
    let aside = |fence, position| ViewBatch {
        model: shows(1),
        changes: vec![titled("b", "B")],
        checkpoint: Fixture::checkpoint("aside", position, fence),
        fenced_by: Some(SUBSCRIPTION.to_owned()),
    };
    let refused = fixture.storage.views.commit(aside(4, 1)).await;
    assert!(matches!(refused, Err(StoreError::Fenced { .. })), "got {refused:?}");
    assert_eq!(get(&fixture, "b").await.0, None);
    commit(&fixture, aside(5, 1)).await;
    assert_eq!(get(&fixture, "b").await, (Some(body("b")), at(9)));
    commit(&fixture, ViewBatch { fenced_by: Some("never ran".into()), ..aside(5, 2) }).await;
}

/// Two read models do not share progress.
pub async fn subscriptions_have_checkpoints_of_their_own(fixture: Fixture) {
    write(&fixture, vec![titled("a", "A")]).await;
    let other = named("other", 1);
    fixture.storage.views.prepare(&other).await.expect("a prepared read model");
    let checkpoint = Fixture::checkpoint("view:other", 40, 3);
    let changes = vec![titled("a", "Z")];
    commit(&fixture, ViewBatch { model: other.clone(), changes, checkpoint, fenced_by: None }).await;
    commit(&fixture, batch(shows(1), vec![titled("b", "B")], 2)).await;
    assert_eq!(get(&fixture, "b").await, (Some(body("b")), at(2)));
    let (row, position) = fixture.storage.views.get(&other, "view:other", "b").await.expect("no row");
    assert_eq!((row, position), (None, at(40)));
}

/// A fold loads the rows that a batch touches; new ones are not there yet.
pub async fn load_leaves_out_what_does_not_exist(fixture: Fixture) {
    write(&fixture, vec![titled("a", "A"), titled("b", "B"), titled("c", "C")]).await;
    let asked = ["c", "never", "a", "A", "%"].map(ToOwned::to_owned);
    let mut rows = fixture.storage.views.load(&shows(1), &asked).await.expect("rows");
    rows.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    assert_eq!(rows, ["a", "c"].map(|key| StoredRow { key: key.into(), body: body(key) }));
    assert!(fixture.storage.views.load(&shows(1), &[]).await.expect("no rows").is_empty());
}

/// No limit of a database's parameters shows.
pub async fn batches_and_loads_of_thousands_of_rows(fixture: Fixture) {
    let names: Vec<String> = (0..5_000).map(|n| format!("row {n}")).collect();
    write(&fixture, names.iter().map(|key| priced(key, 1)).collect()).await;
    assert_eq!(fixture.storage.views.load(&shows(1), &names).await.expect("rows").len(), 5_000);
    let changes = names.iter().enumerate();
    let changes = changes.map(|(n, key)| if n % 2 == 0 { delete(key) } else { priced(key, 2) }).collect();
    commit(&fixture, batch(shows(1), changes, 2)).await;
    assert_eq!(fixture.storage.views.load(&shows(1), &names).await.expect("rows").len(), 2_500);
    let asked = query(vec![Filter::Equals("price".into(), IndexValue::Integer(2))]);
    assert_eq!(ask(&fixture, &asked).await.expect("a page").0.total, 2_500);
}

/// Nothing is quoted, trimmed, cut or re-encoded.
pub async fn keys_bodies_and_texts_come_back_byte_for_byte(fixture: Fixture) {
    let strange = ["", " ", "O'Brien", "\"q\"", "a;b--c", "käse 🎟", "a\u{301}", "\\", "%_", "A", "a"];
    let change = |key: &&str| RowChange::Put {
        key: (*key).into(),
        body: Bytes::from([key.as_bytes(), b"\x00\xff\xfe"].concat()),
        indexes: vec![text(key), IndexValue::Null, IndexValue::Integer(i64::MIN)],
    };
    write(&fixture, strange.iter().map(change).collect()).await;
    for key in strange {
        let expected = Bytes::from([key.as_bytes(), b"\x00\xff\xfe"].concat());
        assert_eq!(get(&fixture, key).await.0, Some(expected), "row {key:?}");
    }
    let (page, _) = ask(&fixture, &query(vec![])).await.expect("a page");
    assert_eq!(page.total, strange.len() as u64);
}

/// What was committed is durable.
pub async fn rows_and_checkpoint_survive_a_restart(mut fixture: Fixture) {
    write(&fixture, vec![titled("a", "A")]).await;
    commit(&fixture, under(4, batch(shows(1), vec![titled("b", "B")], 8))).await;
    fixture.restart().await;
    fixture.storage.views.prepare(&shows(1)).await.expect("prepared again");
    assert_eq!(get(&fixture, "b").await, (Some(body("b")), at(8)));
    let refused = fixture.storage.views.commit(under(3, batch(shows(1), vec![], 9))).await;
    assert!(matches!(refused, Err(StoreError::Fenced { .. })), "the fence is durable, got {refused:?}");
}

fn numbered(key: &str, number: u32) -> RowChange {
    RowChange::Put {
        key: key.into(),
        body: Bytes::from(number.to_string()),
        indexes: vec![IndexValue::Null, IndexValue::Null, IndexValue::Integer(number.into())],
    }
}

/// Beside a writer, each query sees the rows of one batch with the checkpoint of that batch.
pub async fn readers_see_whole_batches_only(fixture: Fixture) {
    fixture.storage.views.prepare(&shows(1)).await.expect("a prepared read model");
    let fixture = Arc::new(fixture);
    let mut tasks = JoinSet::new();
    for _ in 0..3 {
        let fixture = Arc::clone(&fixture);
        tasks.spawn(async move {
            let mut newest = 0;
            while newest < 100 {
                let (page, position) = ask(&fixture, &query(vec![])).await.expect("a page");
                let numbers: Vec<String> =
                    page.items.iter().map(|row| String::from_utf8_lossy(&row.body).into_owned()).collect();
                let shown = position.get().to_string();
                assert!(numbers.iter().all(|number| *number == shown), "{numbers:?} at {position}");
                assert!(position.get() >= newest, "progress goes back from {newest} to {position}");
                newest = position.get();
                let (row, position) =
                    fixture.storage.views.get(&shows(1), SUBSCRIPTION, "b").await.expect("a row");
                let shown = position.get().to_string();
                assert!(row.is_none_or(|row| row.body == shown.as_bytes()), "one row at {position}");
                // Reads as often as it can, to be caught in the act; it ends with the last commit.
                tokio::task::yield_now().await;
            }
        });
    }
    for number in 1..=100 {
        let changes = ["a", "b", "c"].map(|key| numbered(key, number)).to_vec();
        commit(&fixture, batch(shows(1), changes, number)).await;
    }
    tasks.join_all().await;
}

/// Two instances that fold the same events: the second commit is a replay.
pub async fn of_racing_commits_of_one_position_one_is_written(fixture: Fixture) {
    fixture.storage.views.prepare(&shows(1)).await.expect("a prepared read model");
    let mut racing = JoinSet::new();
    for n in 0..20 {
        let views = Arc::clone(&fixture.storage.views);
        let change = put(&format!("by {n}"), IndexValue::Null, IndexValue::Null, IndexValue::Null);
        let batch = batch(shows(1), vec![change], 1);
        racing.spawn(async move { views.commit(batch).await });
    }
    for result in racing.join_all().await {
        result.expect("a replay is no failure");
    }
    assert_eq!(ask(&fixture, &query(vec![])).await.expect("a page").0.total, 1);
}
