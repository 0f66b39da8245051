//! The whole log as text: what two runs of one seed are compared by.

use super::world::Simulation;
use composable_rust_core::port::{LogQuery, OpenStorage, StoreError};
use composable_rust_core::{Environment, Position, RecordedEvent, SeededRandom};
use std::fmt::Write;
use std::sync::Arc;

impl Simulation {
    /// Every event with all its parts, a line each.
    ///
    /// # Errors
    /// [`StoreError`] when the storage's faults are still on.
    pub async fn log_text(&self) -> Result<String, StoreError> {
        let mut text = String::new();
        for event in self.log().await? {
            let payload = String::from_utf8_lossy(&event.payload).into_owned();
            let metadata = String::from_utf8_lossy(event.metadata.as_bytes()).into_owned();
            let RecordedEvent {
                position, stream, version, id, event_type, schema_version, recorded_at, ..
            } = event;
            let _ = writeln!(
                text,
                "{position} {stream} {version} {id} {event_type} {schema_version} {recorded_at} {payload} {metadata}"
            );
        }
        Ok(text)
    }

    /// Every event of the log.
    ///
    /// # Errors
    /// As [`Self::log_text`].
    pub async fn log(&self) -> Result<Vec<RecordedEvent>, StoreError> {
        let environment = Environment {
            clock: self.clock(),
            ids: self.ids(),
            random: Arc::new(SeededRandom::new(0)),
            spawner: Arc::new(super::spawner::LifeSpawner::new(super::fuse::Fuse::new(None), self.panics())),
        };
        let storage = self.storage().open(&environment).await?;
        let mut events = Vec::new();
        let mut after = Position::ZERO;
        loop {
            let page = storage.events.read_log(LogQuery::after(after, 1_000)).await?;
            events.extend(page.events);
            if page.read_to >= page.horizon {
                return Ok(events);
            }
            after = page.read_to;
        }
    }
}
