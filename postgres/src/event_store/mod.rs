//! The log: streams, their events in one global order, and the results of commands.

mod append;
mod commands;
mod facts;
mod read;
mod write;

use crate::connections::Database;
use async_trait::async_trait;
use composable_rust_core::port::{
    Append, AppendError, Appended, CommandRecord, EventStore, LogPage, LogQuery, StoreError, StoredResponse,
    StreamRange,
};
use composable_rust_core::{CommandId, RecordedEvent, Signal, StreamId, StreamVersion};
pub(crate) use read::stream_id;
use std::sync::Arc;

/// The event store of one database.
#[derive(Debug)]
pub(crate) struct PostgresEventStore {
    database: Arc<Database>,
}

impl PostgresEventStore {
    pub(crate) fn new(database: &Arc<Database>) -> Self {
        Self { database: Arc::clone(database) }
    }
}

#[async_trait]
impl EventStore for PostgresEventStore {
    async fn append_batch(
        &self,
        batch: Vec<Append>,
    ) -> Result<Vec<Result<Appended, AppendError>>, StoreError> {
        append::append_batch(&self.database, batch).await
    }

    async fn read_stream(
        &self,
        stream: &StreamId,
        range: StreamRange,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        read::read_stream(&self.database, stream, range).await
    }

    async fn stream_version(&self, stream: &StreamId) -> Result<StreamVersion, StoreError> {
        read::stream_version(&self.database, stream).await
    }

    async fn read_log(&self, query: LogQuery<'_>) -> Result<LogPage, StoreError> {
        read::read_log(&self.database, query).await
    }

    async fn find_command(&self, id: CommandId) -> Result<Option<CommandRecord>, StoreError> {
        commands::find(&self.database, id).await
    }

    async fn save_response(&self, id: CommandId, response: StoredResponse) -> Result<(), StoreError> {
        commands::save_responses(&self.database, &[(id, response)]).await
    }

    async fn save_responses(&self, responses: Vec<(CommandId, StoredResponse)>) -> Result<(), StoreError> {
        commands::save_responses(&self.database, &responses).await
    }

    fn signal(&self) -> &Signal {
        &self.database.horizon.signal
    }
}
