//! Several appends at once: order, independence, and dependence that was asked for.

use crate::contract::fixture::{Fixture, append_to, exactly, refusal, stream};
use composable_rust_core::port::{Append, AppendError, Appended, LogQuery, StoreError};
use composable_rust_core::{ExpectedVersion, Position, StreamVersion};

async fn append_batch(fixture: &Fixture, batch: Vec<Append>) -> Vec<Result<Appended, AppendError>> {
    let length = batch.len();
    let results = fixture.storage.events.append_batch(batch).await.expect("the batch itself succeeds");
    assert_eq!(results.len(), length, "one result for each append");
    results
}

fn conflicted(result: &Result<Appended, AppendError>) -> bool {
    matches!(result, Err(AppendError::Conflict { .. }))
}

/// Results come in the order of the appends.
pub async fn a_batch_answers_each_append_in_its_place(fixture: Fixture) {
    let batch = (0..20_usize)
        .map(|n| append_to(&format!("s{n}"), ExpectedVersion::NoStream, fixture.events(n % 3 + 1)))
        .collect();
    for (n, result) in append_batch(&fixture, batch).await.into_iter().enumerate() {
        let appended = result.expect("a new stream each");
        assert_eq!(appended.streams[0].stream, stream(&format!("s{n}")));
        assert_eq!(appended.streams[0].after.get(), n as u64 % 3 + 1);
    }
}

/// An empty batch is allowed.
pub async fn an_empty_batch_answers_nothing(fixture: Fixture) {
    assert!(append_batch(&fixture, Vec::new()).await.is_empty());
}

/// Neighbours of refused appends are written, and the refused ones leave nothing.
pub async fn a_refused_append_does_not_affect_its_neighbours(fixture: Fixture) {
    let batch = vec![
        append_to("a", ExpectedVersion::NoStream, fixture.events(1)),
        append_to("b", exactly(5), fixture.events(2)),
        append_to("c", ExpectedVersion::NoStream, fixture.events(1)),
        append_to("a", exactly(0), fixture.events(4)),
        append_to("d", ExpectedVersion::Any, fixture.events(2)),
    ];
    let results = append_batch(&fixture, batch).await;
    let succeeded: Vec<bool> = results.iter().map(Result::is_ok).collect();
    assert_eq!(succeeded, [true, false, true, false, true]);
    for (key, version) in [("a", 1), ("b", 0), ("c", 1), ("d", 2)] {
        assert_eq!(fixture.version(key).await, version, "stream {key}");
        assert_eq!(fixture.bodies(key).await.len() as u64, version, "events of {key}");
    }
}

/// A chain of appends to one stream, each at the version that the one before made.
pub async fn later_appends_of_a_batch_see_the_versions_of_earlier_ones(fixture: Fixture) {
    fixture.append("a", 1).await;
    let batch = (1..=50).map(|version| append_to("a", exactly(version), fixture.events(1))).collect();
    for (n, result) in append_batch(&fixture, batch).await.into_iter().enumerate() {
        let appended = result.expect("the version of the one before");
        assert_eq!(appended.streams[0].before.get(), n as u64 + 1);
    }
    assert_eq!(fixture.version("a").await, 51);
}

/// The first of two that compete within a batch wins.
pub async fn a_batch_takes_effect_in_its_order(fixture: Fixture) {
    let batch = vec![
        append_to("a", ExpectedVersion::NoStream, vec![fixture.event("first")]),
        append_to("a", ExpectedVersion::NoStream, vec![fixture.event("second")]),
        append_to("a", ExpectedVersion::Any, vec![fixture.event("third")]),
    ];
    let mut results = append_batch(&fixture, batch).await;
    assert!(results[0].is_ok() && results[2].is_ok());
    match refusal(results.remove(1)) {
        AppendError::Conflict { actual, .. } => assert_eq!(actual, StreamVersion::from(1)),
        other => panic!("expected a conflict, got {other:?}"),
    }
    assert_eq!(fixture.bodies("a").await, ["first", "third"]);
}

/// What was decided on the outcome of a refused append is refused, though its own version is right.
pub async fn an_append_that_depends_on_a_refused_one_is_a_conflict(fixture: Fixture) {
    let mut dependent = append_to("b", ExpectedVersion::Any, fixture.events(1));
    dependent.depends_on.push(0);
    let batch = vec![
        append_to("a", exactly(3), fixture.events(1)),
        dependent,
        append_to("c", ExpectedVersion::Any, fixture.events(1)),
    ];
    let results = append_batch(&fixture, batch).await;
    assert!(conflicted(&results[0]) && conflicted(&results[1]), "got {results:?}");
    assert!(results[2].is_ok(), "it depends on nothing");
    assert_eq!(fixture.version("b").await, 0);
}

/// Who depends on an append that was refused for its dependency is refused too.
pub async fn dependence_is_passed_on(fixture: Fixture) {
    let on = |key: &str, index: usize| {
        let mut append = append_to(key, ExpectedVersion::Any, fixture.events(1));
        append.depends_on.push(index);
        append
    };
    let batch = vec![append_to("a", exactly(3), fixture.events(1)), on("b", 0), on("c", 1), on("d", 2)];
    let results = append_batch(&fixture, batch).await;
    assert!(results.iter().all(conflicted), "got {results:?}");
    let page = LogQuery::after(Position::ZERO, 10);
    assert!(fixture.storage.events.read_log(page).await.expect("a page").events.is_empty());
}

/// Not even when the other one succeeds: it would have nothing to conflict about.
pub async fn an_append_that_depends_on_others_must_name_a_stream(fixture: Fixture) {
    let bare = |on: usize| {
        let mut append = Append::default();
        append.depends_on.push(on);
        append
    };
    let batch = vec![
        append_to("a", ExpectedVersion::Any, fixture.events(1)),
        append_to("b", exactly(3), fixture.events(1)),
        bare(0),
        bare(1),
    ];
    let results = append_batch(&fixture, batch).await;
    for result in &results[2..] {
        assert!(matches!(result, Err(AppendError::Store(StoreError::InvalidRequest(_)))), "got {results:?}");
    }
    assert!(results[0].is_ok() && conflicted(&results[1]), "got {results:?}");
}

/// An index of itself, of a later append or of none stands for a refused one.
pub async fn an_append_cannot_depend_on_what_is_not_before_it(fixture: Fixture) {
    for index in [0, 1, 7] {
        let mut append = append_to("a", ExpectedVersion::Any, fixture.events(1));
        append.depends_on.push(index);
        let results =
            append_batch(&fixture, vec![append, append_to("b", ExpectedVersion::Any, Vec::new())]).await;
        assert!(conflicted(&results[0]) && results[1].is_ok(), "on {index}: {results:?}");
    }
    assert_eq!(fixture.version("a").await, 0);
}

/// A dependency that succeeded does not stand in the way.
pub async fn an_append_that_depends_on_a_success_is_written(fixture: Fixture) {
    let mut dependent = append_to("b", ExpectedVersion::NoStream, fixture.events(1));
    dependent.depends_on.extend([0, 1]);
    let batch = vec![
        append_to("a", ExpectedVersion::NoStream, fixture.events(1)),
        append_to("a", exactly(1), fixture.events(1)),
        dependent,
    ];
    let results = append_batch(&fixture, batch).await;
    assert!(results.iter().all(Result::is_ok), "got {results:?}");
    assert_eq!(fixture.version("b").await, 1);
}

/// The position of an append is that of its last event, and positions agree with the order of the batch.
pub async fn positions_of_a_batch_grow_in_the_order_of_each_stream(fixture: Fixture) {
    let batch =
        (0..12).map(|n| append_to(["a", "b", "c"][n % 3], ExpectedVersion::Any, fixture.events(2))).collect();
    let results = append_batch(&fixture, batch).await;
    let answered: Vec<Position> =
        results.into_iter().map(|result| result.expect("any version").position).collect();
    let page = LogQuery::after(Position::ZERO, 100);
    let events = fixture.storage.events.read_log(page).await.expect("a page").events;
    assert_eq!(events.len(), 24);
    for (n, position) in answered.into_iter().enumerate() {
        let last = events.iter().find(|event| event.position == position).expect("an event stands there");
        assert_eq!(last.stream, stream(["a", "b", "c"][n % 3]));
        assert_eq!(last.version.get(), (n as u64 / 3 + 1) * 2);
    }
    for key in ["a", "b", "c"] {
        let versions: Vec<u64> = events
            .iter()
            .filter(|event| event.stream == stream(key))
            .map(|event| event.version.get())
            .collect();
        assert_eq!(versions, (1..=8).collect::<Vec<_>>(), "stream {key} in the order of the log");
    }
}
