//! The results of command ids: found again, given a response, and forgotten when their time has passed. Appends write
//! them (`write.rs`).

use crate::connections::Database;
use crate::error::corrupt;
use crate::rows::{column, signed_small, small, timestamp};
use composable_rust_core::port::{Appended, CommandRecord, StoreError, StoredResponse, WrittenStream};
use composable_rust_core::{CommandId, Position, StreamId, StreamVersion, later};
use jiff::Timestamp;
use smallvec::SmallVec;
use sqlx::postgres::PgRow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use uuid::Uuid;

/// How long after a look for expired ids the next one waits, by the application's clock.
const PURGE_EVERY: Duration = Duration::from_mins(1);
/// At most so many expired ids are removed at once; then the next append has more removed.
const PURGE_ROWS: i64 = 1_000;

const FIND: &str = "SELECT id, fingerprint, position, recorded_at, streams,
        response_status, response_headers, response_body
    FROM commands WHERE id = ANY ($1) AND (keep_until IS NULL OR keep_until > $2)";

pub(super) async fn find(database: &Database, id: CommandId) -> Result<Option<CommandRecord>, StoreError> {
    let mut records = find_all(database, vec![id.as_uuid()], database.now()).await?;
    Ok(records.remove(&id))
}

/// The records of `ids` which are still kept at `now`.
pub(super) async fn find_all(
    database: &Database,
    ids: Vec<Uuid>,
    now: Timestamp,
) -> Result<BTreeMap<CommandId, CommandRecord>, StoreError> {
    let statement = sqlx::query(FIND).bind(ids).bind(now.as_microsecond());
    let rows = database.all("find a command", statement).await?;
    rows.iter().map(|row| record(row).map(|record| (record.id, record))).collect()
}

/// Keeps responses in one write; a command that has one keeps it.
pub(super) async fn save_responses(
    database: &Database,
    responses: &[(CommandId, StoredResponse)],
) -> Result<(), StoreError> {
    // One row twice in one statement is changed by either; by which is not said.
    let mut first: BTreeMap<CommandId, &StoredResponse> = BTreeMap::new();
    for (id, response) in responses {
        first.entry(*id).or_insert(response);
    }
    let ids: Vec<Uuid> = first.keys().map(CommandId::as_uuid).collect();
    let statuses: Vec<i32> = first.values().map(|response| signed_small(response.status)).collect();
    let mut headers = Vec::with_capacity(first.len());
    for response in first.values() {
        let encoded = serde_json::to_string(&response.headers);
        headers.push(encoded.map_err(|error| corrupt("headers", &error))?);
    }
    let bodies: Vec<&[u8]> = first.values().map(|response| &*response.body).collect();
    let statement = sqlx::query(
        "UPDATE commands c SET response_status = n.status, response_headers = n.headers, response_body = n.body
         FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::bytea[]) AS n (id, status, headers, body)
         WHERE c.id = n.id AND c.response_status IS NULL AND (c.keep_until IS NULL OR c.keep_until > $5)",
    )
    .bind(ids)
    .bind(statuses)
    .bind(headers)
    .bind(bodies)
    .bind(database.now().as_microsecond());
    database.all("save responses", statement).await.map(drop)
}

/// Removes expired ids in the background, now and then.
pub(super) fn purge_sometimes(database: &Arc<Database>, now: Timestamp) {
    let (micros, next) = (now.as_microsecond(), later(now, PURGE_EVERY).as_microsecond());
    let due = |at: i64| (at <= micros).then_some(next);
    if database.purge_at.fetch_update(Ordering::SeqCst, Ordering::SeqCst, due).is_err() {
        return;
    }
    let purging = Arc::clone(database);
    let purge = async move {
        match purge(&purging, now).await {
            Ok(removed) if removed as u64 >= PURGE_ROWS.cast_unsigned() => {
                purging.purge_at.store(micros, Ordering::SeqCst);
            }
            Ok(_) => {}
            Err(error) => tracing::debug!(%error, "expired command ids are removed later"),
        }
    };
    database.environment.spawner.spawn("postgres purge", Box::pin(purge));
}

async fn purge(database: &Database, now: Timestamp) -> Result<usize, StoreError> {
    let statement = sqlx::query(
        "DELETE FROM commands WHERE id IN (SELECT id FROM commands WHERE keep_until <= $1
         ORDER BY keep_until LIMIT $2 FOR UPDATE SKIP LOCKED) AND keep_until <= $1 RETURNING 1",
    )
    .bind(now.as_microsecond())
    .bind(PURGE_ROWS);
    Ok(database.all("remove expired command ids", statement).await?.len())
}

fn decode_streams(text: &str) -> Result<SmallVec<[WrittenStream; 1]>, StoreError> {
    let streams: Vec<(StreamId, StreamVersion, StreamVersion)> =
        serde_json::from_str(text).map_err(|error| corrupt("streams of a command", &error))?;
    Ok(streams.into_iter().map(|(stream, before, after)| WrittenStream { stream, before, after }).collect())
}

fn record(row: &PgRow) -> Result<CommandRecord, StoreError> {
    let response = match column::<Option<i32>>(row, 5)? {
        None => None,
        Some(_) => Some(StoredResponse {
            status: small(row, 5)?,
            headers: serde_json::from_str(column(row, 6)?)
                .map_err(|error| corrupt("headers of a response", &error))?,
            body: column::<Vec<u8>>(row, 7)?.into(),
        }),
    };
    Ok(CommandRecord {
        id: CommandId::from_uuid(column(row, 0)?),
        fingerprint: column::<Option<Vec<u8>>>(row, 1)?.map(Into::into),
        appended: Appended {
            position: Position::from_i64(column(row, 2)?),
            recorded_at: timestamp(row, 3)?,
            streams: decode_streams(column(row, 4)?)?,
        },
        response,
    })
}
