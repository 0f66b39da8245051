//! The results of command ids: found again, given a response, and forgotten when their time has passed.

use crate::connections::{Database, Write};
use crate::error::corrupt;
use crate::rows::{RowStatement, Statement, chunk, column, json_ids, timestamp, unsigned, uuid};
use composable_rust_core::port::{
    Appended, CommandKey, CommandRecord, StoreError, StoredResponse, WrittenStream,
};
use composable_rust_core::{CommandId, Position, StreamId, StreamVersion, later};
use jiff::Timestamp;
use smallvec::SmallVec;
use sqlx::sqlite::SqliteRow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long after a look for expired ids the next one waits, by the store's clock.
const PURGE_EVERY: Duration = Duration::from_mins(1);
/// At most so many expired ids are removed by one write, which then lets the next one go on.
const PURGE_ROWS: i64 = 1_000;

const FIND: &str = "SELECT c.id, c.fingerprint, c.position, c.recorded_at, c.streams,
        c.response_status, c.response_headers, c.response_body
    FROM json_each(?) j CROSS JOIN commands c ON c.id = unhex(j.value)
    WHERE c.keep_until IS NULL OR c.keep_until > ?";

/// Writes records. An id that is in the way has expired: all of it is replaced, its response too.
pub(super) static INSERT: RowStatement = RowStatement::new(
    "INSERT OR REPLACE INTO commands (id, fingerprint, keep_until, position, recorded_at, streams) VALUES ",
    "(?, ?, ?, ?, ?, ?)",
    "",
);

static SAVE_RESPONSES: RowStatement = RowStatement::new(
    "UPDATE commands SET response_status = v.column2, response_headers = v.column3, response_body = v.column4
     FROM (VALUES ",
    "(?, ?, ?, ?)",
    ") AS v WHERE id = v.column1 AND response_status IS NULL AND (keep_until IS NULL OR keep_until > ?)",
);

/// The statement that finds the records of `ids` which are still kept at `now`.
pub(super) fn find_statement<'q>(ids: impl IntoIterator<Item = CommandId>, now: Timestamp) -> Statement<'q> {
    sqlx::query(FIND).bind(json_ids(ids.into_iter().map(|id| id.as_uuid()))).bind(now.as_microsecond())
}

pub(super) async fn find(database: &Database, id: CommandId) -> Result<Option<CommandRecord>, StoreError> {
    let mut read = database.read("find a command").await?;
    let row = read.first(find_statement([id], database.now())).await?;
    row.map(|row| record(&row)).transpose()
}

/// The records of the commands that `rows` of [`find_statement`] hold.
pub(super) fn records(rows: &[SqliteRow]) -> Result<BTreeMap<CommandId, CommandRecord>, StoreError> {
    rows.iter().map(|row| record(row).map(|record| (record.id, record))).collect()
}

/// Keeps responses, up to 256 in one write; a command that has one keeps it.
pub(super) async fn save_responses(
    database: &Arc<Database>,
    responses: &[(CommandId, StoredResponse)],
) -> Result<(), StoreError> {
    // Clients wait for it, and whoever saves does one write at a time: an append waits for one of these at most.
    let mut write = database.write("save responses").await?;
    let mut left = responses;
    while !left.is_empty() {
        let (part, rest) = left.split_at(chunk(left.len()));
        let mut statement = SAVE_RESPONSES.of(part.len());
        for (id, response) in part {
            let headers =
                serde_json::to_string(&response.headers).map_err(|error| corrupt("headers", &error))?;
            statement = statement
                .bind(id.as_uuid().as_bytes().to_vec())
                .bind(response.status)
                .bind(headers)
                .bind(response.body.to_vec());
        }
        write.finish(statement.bind(database.now().as_microsecond())).await?;
        left = rest;
    }
    Ok(())
}

/// Binds the records of commands, and how long each is kept, to [`INSERT`].
pub(super) fn bind<'q>(
    mut statement: Statement<'q>,
    commands: &[(CommandKey, Appended)],
    now: Timestamp,
) -> Result<Statement<'q>, StoreError> {
    for (command, appended) in commands {
        statement = statement
            .bind(command.id.as_uuid().as_bytes().to_vec())
            .bind(command.fingerprint.as_ref().map(|bytes| bytes.to_vec()))
            .bind(command.keep.map(|keep| later(now, keep).as_microsecond()))
            .bind(appended.position.as_i64())
            .bind(appended.recorded_at.as_microsecond())
            .bind(encode_streams(appended)?);
    }
    Ok(statement)
}

/// Removes expired ids within a write, now and then.
pub(super) async fn purge(write: &mut Write<'_>, now: Timestamp) -> Result<(), StoreError> {
    if now < write.known().purge_at {
        return Ok(());
    }
    let statement = sqlx::query(
        "DELETE FROM commands WHERE id IN
         (SELECT id FROM commands WHERE keep_until <= ? ORDER BY keep_until LIMIT +?) RETURNING 1",
    )
    .bind(now.as_microsecond())
    .bind(PURGE_ROWS);
    let removed = write.run(statement).await?.len();
    let more = removed as u64 >= PURGE_ROWS.cast_unsigned();
    write.known().purge_at = if more { now } else { later(now, PURGE_EVERY) };
    Ok(())
}

fn encode_streams(appended: &Appended) -> Result<String, StoreError> {
    let streams: SmallVec<[(&StreamId, StreamVersion, StreamVersion); 4]> =
        appended.streams.iter().map(|written| (&written.stream, written.before, written.after)).collect();
    serde_json::to_string(&streams[..]).map_err(|error| corrupt("streams of a command", &error))
}

fn decode_streams(text: &str) -> Result<SmallVec<[WrittenStream; 1]>, StoreError> {
    let streams: Vec<(StreamId, StreamVersion, StreamVersion)> =
        serde_json::from_str(text).map_err(|error| corrupt("streams of a command", &error))?;
    Ok(streams.into_iter().map(|(stream, before, after)| WrittenStream { stream, before, after }).collect())
}

fn record(row: &SqliteRow) -> Result<CommandRecord, StoreError> {
    let response = match column::<Option<i64>>(row, 5)? {
        None => None,
        Some(_) => Some(StoredResponse {
            status: unsigned(row, 5)?,
            headers: serde_json::from_str(column(row, 6)?)
                .map_err(|error| corrupt("headers of a response", &error))?,
            body: column::<Vec<u8>>(row, 7)?.into(),
        }),
    };
    Ok(CommandRecord {
        id: CommandId::from_uuid(uuid(row, 0)?),
        fingerprint: column::<Option<Vec<u8>>>(row, 1)?.map(Into::into),
        appended: Appended {
            position: Position::from_i64(column(row, 2)?),
            recorded_at: timestamp(row, 3)?,
            streams: decode_streams(column(row, 4)?)?,
        },
        response,
    })
}
