//! Reading streams and the log.

use crate::connections::Database;
use crate::rows::{Statement, column, json_texts, signed, timestamp, unsigned, uuid};
use composable_rust_core::port::{Direction, LogPage, LogQuery, StoreError, StreamRange};
use composable_rust_core::{
    EventId, Position, RawMetadata, RecordedEvent, SchemaVersion, StreamId, StreamVersion,
};
use futures_util::TryStreamExt;
use sqlx::sqlite::SqliteRow;
use std::pin::pin;

/// Columns of an event in the order in which [`event`] reads them.
macro_rules! columns {
    () => {
        "e.position, e.version, e.event_id, e.event_type, e.schema_version, e.recorded_at, e.metadata, e.payload"
    };
}

const FORWARDS: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM events e WHERE e.stream_id = (SELECT id FROM streams WHERE name = ?) AND e.version > ?
      ORDER BY e.version LIMIT +?"
);

const BACKWARDS: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM events e WHERE e.stream_id = (SELECT id FROM streams WHERE name = ?) AND e.version < ?
      ORDER BY e.version DESC LIMIT +?"
);

const LOG: &str = concat!(
    "SELECT ",
    columns!(),
    ", s.name FROM events e CROSS JOIN streams s ON s.id = e.stream_id
      WHERE e.position > ? AND e.position <= ? ORDER BY e.position LIMIT +?"
);

const LOG_OF_CATEGORIES: &str = concat!(
    "SELECT ",
    columns!(),
    ", s.name FROM events e CROSS JOIN streams s ON s.id = e.stream_id
      WHERE e.position > ? AND e.position <= ? AND s.category IN (SELECT value FROM json_each(?))
      ORDER BY e.position LIMIT +?"
);

/// The columns of what an event holds, and of the stream's name in a row of the log.
const METADATA: usize = 6;
const PAYLOAD: usize = 7;
const NAME: usize = 8;

pub(super) async fn read_stream(
    database: &Database,
    stream: &StreamId,
    range: StreamRange,
) -> Result<Vec<RecordedEvent>, StoreError> {
    if range.limit == 0 {
        return Ok(Vec::new());
    }
    let text = match range.direction {
        Direction::Forwards => FORWARDS,
        Direction::Backwards => BACKWARDS,
    };
    let statement =
        sqlx::query(text).bind(stream.as_str()).bind(range.boundary.as_i64()).bind(signed(range.limit));
    collect(database, "read a stream", statement, range.max_bytes, |row| event(row, stream.clone())).await
}

pub(super) async fn stream_version(
    database: &Database,
    stream: &StreamId,
) -> Result<StreamVersion, StoreError> {
    let mut read = database.read("read the version of a stream").await?;
    let statement = sqlx::query("SELECT version FROM streams WHERE name = ?").bind(stream.as_str());
    match read.first(statement).await? {
        Some(row) => Ok(StreamVersion::from_i64(column(&row, 0)?)),
        None => Ok(StreamVersion::ZERO),
    }
}

pub(super) async fn read_log(database: &Database, query: LogQuery<'_>) -> Result<LogPage, StoreError> {
    // What is announced is committed, and nothing commits before it any more.
    let horizon = database.signal.position();
    if query.limit == 0 || query.after >= horizon {
        let read_to = if query.limit == 0 { query.after } else { horizon.max(query.after) };
        return Ok(LogPage { events: Vec::new(), read_to, horizon });
    }
    if let Some(page) = database.tail().page(&query, horizon) {
        return Ok(page);
    }
    let statement = match query.categories {
        None => sqlx::query(LOG).bind(query.after.as_i64()).bind(horizon.as_i64()),
        Some(categories) => sqlx::query(LOG_OF_CATEGORIES)
            .bind(query.after.as_i64())
            .bind(horizon.as_i64())
            .bind(json_texts(categories.iter().map(String::as_str))),
    };
    let mut previous: Option<StreamId> = None;
    let statement = statement.bind(signed(query.limit));
    let events = collect(database, "read the log", statement, query.max_bytes, |row| {
        let name: &str = column(row, NAME)?;
        let stream = match previous.take() {
            Some(stream) if stream.as_str() == name => stream,
            Some(_) | None => stream_id(name)?,
        };
        previous = Some(stream.clone());
        event(row, stream)
    })
    .await?;
    Ok(page(events, &query, horizon))
}

/// The page that `events`, found for `query`, are.
pub(super) fn page(events: Vec<RecordedEvent>, query: &LogQuery<'_>, horizon: Position) -> LogPage {
    let read_to = match events.last() {
        Some(last) if query.is_filled_by(&events) => last.position,
        Some(_) | None => horizon,
    };
    LogPage { events, read_to, horizon }
}

/// The stream that a stored name tells.
pub(crate) fn stream_id(name: &str) -> Result<StreamId, StoreError> {
    name.parse().map_err(|error| crate::error::corrupt("a stream's name", &error))
}

async fn collect(
    database: &Database,
    doing: &'static str,
    statement: Statement<'_>,
    max_bytes: usize,
    decode: impl FnMut(&SqliteRow) -> Result<RecordedEvent, StoreError>,
) -> Result<Vec<RecordedEvent>, StoreError> {
    let mut read = database.read(doing).await?;
    let mut rows = pin!(read.stream(statement));
    let (mut page, mut held) = (Vec::new(), 0);
    while let Some(row) = rows.try_next().await? {
        held += column::<&[u8]>(&row, METADATA)?.len() + column::<&[u8]>(&row, PAYLOAD)?.len();
        page.push(row);
        if held >= max_bytes {
            break;
        }
    }
    // Not while the connection's thread reads: SQLite gives and takes memory under one lock.
    page.iter().map(decode).collect()
}

fn event(row: &SqliteRow, stream: StreamId) -> Result<RecordedEvent, StoreError> {
    Ok(RecordedEvent {
        position: Position::from_i64(column(row, 0)?),
        stream,
        version: StreamVersion::from_i64(column(row, 1)?),
        id: EventId::from_uuid(uuid(row, 2)?),
        event_type: column::<String>(row, 3)?.into(),
        schema_version: SchemaVersion::new(unsigned(row, 4)?),
        recorded_at: timestamp(row, 5)?,
        metadata: RawMetadata::from_bytes(column::<Vec<u8>>(row, METADATA)?),
        payload: column::<Vec<u8>>(row, PAYLOAD)?.into(),
    })
}
