//! What the tests share: an environment that stands still, a fresh file, sample appends.

use composable_rust_core::port::{Append, LogQuery, OpenStorage, Storage};
use composable_rust_core::{
    Environment, EventId, EventMetadata, ExpectedVersion, FixedClock, NewEvent, Position, RecordedEvent,
    SchemaVersion, SeededRandom, SequentialIds, Spawner, StreamId,
};
use composable_rust_sqlite::Sqlite;
use futures_util::future::BoxFuture;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;

/// Spawns on the test's own runtime.
#[derive(Debug)]
struct TokioTasks;

impl Spawner for TokioTasks {
    fn spawn(&self, _: &'static str, task: BoxFuture<'static, ()>) {
        drop(tokio::runtime::Handle::current().spawn(task));
    }
}

/// An environment at noon of 2026-03-01, UTC.
pub(crate) fn environment() -> Environment {
    Environment {
        clock: Arc::new(FixedClock::at("2026-03-01T12:00:00Z".parse().unwrap())),
        ids: Arc::new(SequentialIds::default()),
        random: Arc::new(SeededRandom::new(1)),
        spawner: Arc::new(TokioTasks),
    }
}

/// A folder that is removed in the end, and the path of a database in it.
pub(crate) fn fresh() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    (folder, path)
}

/// Opens the database at `path`.
pub(crate) async fn open(path: impl Into<PathBuf>) -> Storage {
    Sqlite::file(path).open(&environment()).await.unwrap()
}

/// Closes a storage.
pub(crate) async fn close(storage: &Storage) {
    (storage.close)().await;
}

/// The stream `key` of the category `test`.
pub(crate) fn stream(key: &str) -> StreamId {
    StreamId::new("test", key).unwrap()
}

/// An event with `body` as its payload.
pub(crate) fn event(environment: &Environment, body: impl Into<String>) -> NewEvent {
    NewEvent {
        id: EventId::from_uuid(environment.new_id()),
        event_type: "test.Happened".into(),
        schema_version: SchemaVersion::FIRST,
        payload: body.into().into(),
        metadata: EventMetadata::default().encode(),
    }
}

/// An append of `count` events to `key`, whatever its version is.
pub(crate) fn append(environment: &Environment, key: &str, count: usize) -> Append {
    let events = (1..=count).map(|number| event(environment, number.to_string())).collect();
    Append::to(stream(key), ExpectedVersion::Any, events)
}

/// The whole log.
pub(crate) async fn log(storage: &Storage) -> Vec<RecordedEvent> {
    let query = LogQuery::after(Position::ZERO, 1_000_000);
    storage.events.read_log(query).await.unwrap().events
}
