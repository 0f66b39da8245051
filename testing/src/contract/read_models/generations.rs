//! Generations: a rebuild beside the live rows, the switch, and the removal of what is old.

use super::{batch, commit, get, priced, query, shows, titled, write};
use crate::contract::fixture::Fixture;
use composable_rust_core::Position;
use composable_rust_core::port::{StoreError, ViewBatch};

async fn rows_of(fixture: &Fixture, generation: u32, subscription: &str) -> (Vec<String>, Position) {
    let answer = fixture.storage.views.query(&shows(generation), subscription, &query(vec![])).await;
    let (page, position) = answer.expect("a page");
    (page.items.into_iter().map(|row| row.key).collect(), position)
}

/// Writes generation 2 under a subscription of its own.
async fn rebuild(fixture: &Fixture) {
    fixture.storage.views.prepare(&shows(2)).await.expect("a prepared generation");
    let checkpoint = Fixture::checkpoint("view:shows:2", 7, 1);
    let changes = vec![priced("a", 2), priced("new", 2)];
    commit(fixture, ViewBatch { model: shows(2), changes, checkpoint, fenced_by: None }).await;
}

async fn switch(fixture: &Fixture, generation: u32, definition: &str, fence: u64) -> Result<(), StoreError> {
    let checkpoint = Fixture::checkpoint("generations of shows", generation, fence);
    fixture.storage.views.switch_generation("shows", generation, definition, checkpoint).await
}

/// A rebuild does not touch what readers see.
pub async fn generations_are_apart(fixture: Fixture) {
    write(&fixture, vec![titled("a", "A"), titled("b", "B")]).await;
    rebuild(&fixture).await;
    assert_eq!(rows_of(&fixture, 1, "view:shows").await, (vec!["a".into(), "b".into()], Position::from(1)));
    let rebuilt = (vec!["a".into(), "new".into()], Position::from(7));
    assert_eq!(rows_of(&fixture, 2, "view:shows:2").await, rebuilt);
}

/// Until the first switch.
pub async fn no_generation_is_live_at_first(fixture: Fixture) {
    write(&fixture, vec![titled("a", "A")]).await;
    assert_eq!(fixture.storage.views.live_generation("shows").await.expect("an answer"), None);
}

/// The newest switch counts, also back to an older generation.
pub async fn switching_names_the_live_generation_and_what_built_it(fixture: Fixture) {
    let views = &fixture.storage.views;
    for (generation, definition) in [(1, "v1"), (2, "it's v2 🎟"), (2, "v2b"), (1, "v1")] {
        switch(&fixture, generation, definition, 1).await.expect("a switch");
        let live = views.live_generation("shows").await.expect("an answer");
        assert_eq!(live, Some((generation, definition.to_owned())));
    }
    assert_eq!(views.live_generation("other").await.expect("an answer"), None);
}

/// The switch is durable.
pub async fn the_live_generation_survives_a_restart(mut fixture: Fixture) {
    switch(&fixture, 3, "v3", 1).await.expect("a switch");
    fixture.restart().await;
    let live = fixture.storage.views.live_generation("shows").await.expect("an answer");
    assert_eq!(live, Some((3, "v3".to_owned())));
}

/// Whoever lost the lease to a newer holder, be it that this one has switched or only saved its fence.
pub async fn a_fenced_out_holder_switches_nothing(fixture: Fixture) {
    switch(&fixture, 1, "v1", 1).await.expect("a switch");
    let fence = Fixture::checkpoint("generations of shows", 0, 3);
    fixture.storage.checkpoints.save_checkpoint(fence).await.expect("a fence");
    let refused = switch(&fixture, 2, "late", 2).await;
    assert!(matches!(refused, Err(StoreError::Fenced { .. })), "got {refused:?}");
    switch(&fixture, 2, "v2", 4).await.expect("the newest holder's switch");
    assert!(matches!(switch(&fixture, 3, "late", 3).await, Err(StoreError::Fenced { .. })));
    let live = fixture.storage.views.live_generation("shows").await.expect("an answer");
    assert_eq!(live, Some((2, "v2".to_owned())));
}

/// Position and fence, as any other save.
pub async fn a_switch_saves_its_checkpoint(fixture: Fixture) {
    for (generation, stands) in [(4, 4), (2, 4), (5, 5)] {
        switch(&fixture, generation, "v", 7).await.expect("a switch");
        let saved = fixture.storage.checkpoints.load_checkpoint("generations of shows").await;
        assert_eq!(saved.expect("a position").get(), stands, "after {generation}");
    }
    let late = Fixture::checkpoint("generations of shows", 9, 6);
    let refused = fixture.storage.checkpoints.save_checkpoint(late).await;
    assert!(matches!(refused, Err(StoreError::Fenced { .. })), "got {refused:?}");
}

/// The other generations stay, and dropping what is gone is no failure.
pub async fn dropping_a_generation_removes_its_rows_only(fixture: Fixture) {
    write(&fixture, vec![titled("a", "A")]).await;
    rebuild(&fixture).await;
    fixture.storage.views.drop_generation(&shows(1)).await.expect("dropped");
    fixture.storage.views.drop_generation(&shows(1)).await.expect("dropped already");
    assert_eq!(rows_of(&fixture, 2, "view:shows:2").await.0, ["a", "new"]);
    fixture.storage.views.prepare(&shows(1)).await.expect("a prepared generation");
    assert!(rows_of(&fixture, 1, "view:shows").await.0.is_empty());
}

/// Empty, and ready to be written.
pub async fn a_dropped_generation_can_be_prepared_again(fixture: Fixture) {
    write(&fixture, vec![titled("a", "A")]).await;
    fixture.storage.views.drop_generation(&shows(1)).await.expect("dropped");
    fixture.storage.views.prepare(&shows(1)).await.expect("a prepared generation");
    commit(&fixture, batch(shows(1), vec![titled("z", "Z")], 2)).await;
    assert_eq!(get(&fixture, "a").await.0, None);
    assert!(get(&fixture, "z").await.0.is_some());
}
