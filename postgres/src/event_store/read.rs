//! Reading streams and the log.

use crate::connections::Database;
use crate::rows::{Statement, column, signed, small, timestamp};
use composable_rust_core::port::{Direction, LogPage, LogQuery, StoreError, StreamRange};
use composable_rust_core::{
    EventId, Position, RawMetadata, RecordedEvent, SchemaVersion, StreamId, StreamVersion,
};
use sqlx::postgres::PgRow;

/// Columns of an event in the order in which [`event`] reads them.
macro_rules! columns {
    () => {
        "e.position, e.version, e.event_id, e.event_type, e.schema_version, e.recorded_at, e.metadata, e.payload"
    };
}

const FORWARDS: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM events e WHERE e.stream_id = (SELECT id FROM streams WHERE name = $1) AND e.version > $2
      ORDER BY e.version LIMIT $3"
);

const BACKWARDS: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM events e WHERE e.stream_id = (SELECT id FROM streams WHERE name = $1) AND e.version < $2
      ORDER BY e.version DESC LIMIT $3"
);

const LOG: &str = concat!(
    "SELECT ",
    columns!(),
    ", s.name FROM (SELECT * FROM events WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3) e
      JOIN streams s ON s.id = e.stream_id ORDER BY e.position"
);

const LOG_OF_CATEGORIES: &str = concat!(
    "SELECT ",
    columns!(),
    ", s.name FROM events e JOIN streams s ON s.id = e.stream_id
      WHERE e.position > $1 AND e.position <= $2 AND s.category = ANY ($4)
      ORDER BY e.position LIMIT $3"
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
    let statement = sqlx::query("SELECT version FROM streams WHERE name = $1").bind(stream.as_str());
    match database.first("read the version of a stream", statement).await? {
        Some(row) => Ok(StreamVersion::from_i64(column(&row, 0)?)),
        None => Ok(StreamVersion::ZERO),
    }
}

pub(super) async fn read_log(database: &Database, query: LogQuery<'_>) -> Result<LogPage, StoreError> {
    let known = database.horizon.known();
    // Who has read all that is known asks for what is not, and who has appended asks for that.
    let is_enough = query.limit > 0 && query.after < known && known >= database.horizon.wanted();
    let horizon = if is_enough { known } else { database.settle().await? };
    if query.limit == 0 || query.after >= horizon {
        let read_to = if query.limit == 0 { query.after } else { horizon.max(query.after) };
        return Ok(LogPage { events: Vec::new(), read_to, horizon });
    }
    let (after, limit) = (query.after.as_i64(), signed(query.limit));
    let statement = match query.categories {
        None => sqlx::query(LOG).bind(after).bind(horizon.as_i64()).bind(limit),
        Some(categories) => {
            sqlx::query(LOG_OF_CATEGORIES).bind(after).bind(horizon.as_i64()).bind(limit).bind(categories)
        }
    };
    let mut previous: Option<StreamId> = None;
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
    let read_to = match events.last() {
        Some(last) if query.is_filled_by(&events) => last.position,
        Some(_) | None => horizon,
    };
    Ok(LogPage { events, read_to, horizon })
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
    mut decode: impl FnMut(&PgRow) -> Result<RecordedEvent, StoreError> + Send,
) -> Result<Vec<RecordedEvent>, StoreError> {
    let (mut page, mut held) = (Vec::new(), 0);
    let lent = database.reader(doing).await?;
    lent.each(doing, statement, |row| {
        let event = decode(&row)?;
        held += event.content_bytes();
        page.push(event);
        Ok(held < max_bytes)
    })
    .await?;
    Ok(page)
}

fn event(row: &PgRow, stream: StreamId) -> Result<RecordedEvent, StoreError> {
    Ok(RecordedEvent {
        position: Position::from_i64(column(row, 0)?),
        stream,
        version: StreamVersion::from_i64(column(row, 1)?),
        id: EventId::from_uuid(column(row, 2)?),
        event_type: column::<String>(row, 3)?.into(),
        schema_version: SchemaVersion::new(small(row, 4)?),
        recorded_at: timestamp(row, 5)?,
        metadata: RawMetadata::from_bytes(column::<Vec<u8>>(row, METADATA)?),
        payload: column::<Vec<u8>>(row, PAYLOAD)?.into(),
    })
}
