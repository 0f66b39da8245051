//! What the cases of the storage suites work with: an opened adapter, a clock that the case moves, and sample data.

use super::run::Prepare;
use bytes::Bytes;
use composable_rust_core::port::{
    Append, AppendError, Appended, Checkpoint, OpenStorage, Storage, StreamRange,
};
use composable_rust_core::{
    Clock, Environment, EventId, EventMetadata, ExpectedVersion, FixedClock, NewEvent, Position,
    SchemaVersion, SeededRandom, SequentialIds, StreamId, StreamVersion,
};
use composable_rust_runtime::TokioSpawner;
use jiff::Timestamp;
use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// An adapter to test: fresh, empty, and not shared with another case.
pub struct Subject {
    opener: Box<dyn OpenStorage>,
    held: Vec<Box<dyn Any + Send + Sync>>,
}

impl Subject {
    /// The storage that `opener` opens.
    pub fn new(opener: impl OpenStorage + 'static) -> Self {
        Self { opener: Box::new(opener), held: Vec::new() }
    }

    /// Keeps `thing` (a temporary directory, a container) until the case has ended.
    #[must_use]
    pub fn holding(mut self, thing: impl Any + Send + Sync) -> Self {
        self.held.push(Box::new(thing));
        self
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("opener", &self.opener).finish_non_exhaustive()
    }
}

impl Prepare for Subject {
    type Fixture = Fixture;

    async fn prepare(self) -> Fixture {
        Fixture::open(self).await
    }
}

/// An opened [`Subject`] with the clock that it was opened with.
#[derive(Debug)]
pub struct Fixture {
    /// The ports under test.
    pub storage: Storage,
    /// The store's clock; it stands until the case moves it.
    pub clock: FixedClock,
    /// Where the clock, ids and tasks come from.
    pub environment: Environment,
    subject: Subject,
}

impl Fixture {
    /// Opens `subject` at noon of 2026-03-01, UTC.
    pub async fn open(subject: Subject) -> Self {
        let noon = Timestamp::from_second(1_772_366_400).expect("a time");
        let clock = FixedClock::at(noon);
        let environment = Environment {
            clock: Arc::new(clock.clone()),
            ids: Arc::new(SequentialIds::default()),
            random: Arc::new(SeededRandom::new(1)),
            spawner: Arc::new(TokioSpawner),
        };
        let storage = subject.opener.open(&environment).await.expect("the storage opens");
        Self { storage, clock, environment, subject }
    }

    /// Closes the storage and opens it again, as a restart of the process does.
    pub async fn restart(&mut self) {
        (self.storage.close)().await;
        self.storage = self.subject.opener.open(&self.environment).await.expect("the storage opens again");
    }

    /// The time of the store.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The time of the store, `seconds` from now.
    pub fn in_seconds(&self, seconds: u64) -> Timestamp {
        composable_rust_core::later(self.now(), Duration::from_secs(seconds))
    }

    /// An event with a fresh id and `body` as its payload.
    pub fn event(&self, body: &str) -> NewEvent {
        NewEvent {
            id: EventId::from_uuid(self.environment.new_id()),
            event_type: "contract.Happened".into(),
            schema_version: SchemaVersion::FIRST,
            payload: Bytes::from(format!("\"{body}\"")),
            metadata: EventMetadata::default().encode(),
        }
    }

    /// `count` events whose bodies are their numbers from 1.
    pub fn events(&self, count: usize) -> Vec<NewEvent> {
        (1..=count).map(|number| self.event(&number.to_string())).collect()
    }

    /// Appends `count` events to `key` of the category `contract`, whatever its version is.
    pub async fn append(&self, key: &str, count: usize) -> Appended {
        self.append_to(stream(key), count).await
    }

    /// Appends `count` events to a stream, whatever its version is.
    pub async fn append_to(&self, stream: StreamId, count: usize) -> Appended {
        let append = Append::to(stream, ExpectedVersion::Any, self.events(count));
        self.storage.events.append(append).await.expect("an append to any version")
    }

    /// The bodies of all events of `key`, oldest first.
    pub async fn bodies(&self, key: &str) -> Vec<String> {
        let range = StreamRange::after(StreamVersion::ZERO, 10_000);
        let events = self.storage.events.read_stream(&stream(key), range).await.expect("a read");
        events.iter().map(|event| body_of(&event.payload)).collect()
    }

    /// The version of `key`.
    pub async fn version(&self, key: &str) -> u64 {
        self.storage.events.stream_version(&stream(key)).await.expect("a version").get()
    }

    /// Everything up to `position` of `subscription`, under `fence`.
    pub fn checkpoint(subscription: &str, position: u32, fence: u64) -> Checkpoint {
        Checkpoint { subscription: subscription.into(), position: Position::from(position), fence }
    }
}

/// The stream `key` of the category `contract`.
pub fn stream(key: &str) -> StreamId {
    StreamId::new("contract", key).expect("a valid key")
}

/// The text that [`Fixture::event`] put in a payload.
pub(super) fn body_of(payload: &Bytes) -> String {
    String::from_utf8_lossy(payload).trim_matches('"').to_owned()
}

/// An append to one stream of the category `contract`.
pub(super) fn append_to(key: &str, expected: ExpectedVersion, events: Vec<NewEvent>) -> Append {
    Append::to(stream(key), expected, events)
}

/// The exact version `version`.
pub(super) fn exactly(version: u32) -> ExpectedVersion {
    ExpectedVersion::Exact(StreamVersion::from(version))
}

/// The refusal of an append that must be refused.
pub(super) fn refusal<T: fmt::Debug>(result: Result<T, AppendError>) -> AppendError {
    match result {
        Ok(done) => panic!("this had to be refused, but it gave {done:?}"),
        Err(error) => error,
    }
}
