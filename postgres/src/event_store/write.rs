//! Writes what a batch was decided to be, by one statement over arrays (`append_events` in the schema).

use super::append::Written;
use super::facts::{Facts, Question};
use crate::connections::{Database, Work};
use crate::error::{corrupt, is_broken_off, store_error};
use crate::rows::{Statement, column, signed_small};
use composable_rust_core::port::plan::{Plan, TimerChange};
use composable_rust_core::port::{NewTimer, StoreError};
use composable_rust_core::{Position, StreamId, StreamVersion, later};
use smallvec::SmallVec;
use sqlx::postgres::PgRow;
use uuid::Uuid;

const DOING: &str = "append events";

/// So often a batch that the server broke off, because of others, is sent again.
const REPEATS: u32 = 5;

const APPEND: &str = "SELECT positions, newest, versions, tokens, answered, newest FROM append_events(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)";

/// Writes a plan in a transaction of its own.
pub(super) async fn write(
    database: &Database,
    plan: &Plan,
    question: &Question,
) -> Result<Written, StoreError> {
    let mut repeats = 0;
    loop {
        match database.try_write(statement(plan, question)?).await {
            Ok(rows) => return outcome(database, plan, question, &rows).await,
            Err(error) if is_broken_off(&error) && repeats < REPEATS => repeats += 1,
            Err(error) => return Err(store_error(DOING, error)),
        }
    }
}

/// Writes a plan within a transaction that goes on.
pub(super) async fn within(work: &mut Work, plan: &Plan, question: &Question) -> Result<Written, StoreError> {
    let rows = work.all(statement(plan, question)?).await?;
    Ok(done(&rows)?.unwrap_or(Written::Stale(None)))
}

async fn outcome(
    database: &Database,
    plan: &Plan,
    question: &Question,
    rows: &[PgRow],
) -> Result<Written, StoreError> {
    if let Some(done) = done(rows)? {
        return Ok(done);
    }
    match rows.first().filter(|_| question.is_of_all(plan)) {
        Some(row) => {
            Facts::of(database, question, row, 2, plan.now).await.map(|facts| Written::Stale(Some(facts)))
        }
        None => Ok(Written::Stale(None)),
    }
}

fn done(rows: &[PgRow]) -> Result<Option<Written>, StoreError> {
    let row = rows.first().ok_or_else(|| StoreError::Corrupt("an append had no result".into()))?;
    let Some(positions) = column::<Option<Vec<i64>>>(row, 0)? else { return Ok(None) };
    Ok(Some(Written::Done {
        positions: positions.into_iter().map(Position::from_i64).collect(),
        newest: Position::from_i64(column(row, 1)?),
    }))
}

fn statement<'q>(plan: &Plan, question: &Question) -> Result<Statement<'q>, StoreError> {
    let statement = sqlx::query(APPEND).bind(plan.now.as_microsecond());
    let (statement, ranks) = bind_streams(statement, plan, question);
    let statement = bind_events(statement, plan, &ranks);
    let statement = bind_commands(statement, plan)?;
    Ok(bind_timers(statement, plan))
}

/// Binds the streams that accepted appends name; answers the number of each in the statement, by its place in the plan.
fn bind_streams<'q>(statement: Statement<'q>, plan: &Plan, question: &Question) -> (Statement<'q>, Vec<i32>) {
    let mut ranks = vec![0; plan.streams.len()];
    let (mut names, mut befores, mut afters) = (Vec::new(), Vec::new(), Vec::new());
    for &place in &question.places {
        let Some(stream) = plan.streams.get(place).filter(|stream| stream.named) else { continue };
        names.push(stream.name.as_str());
        befores.push(stream.before.as_i64());
        afters.push(stream.version.as_i64());
        if let Some(rank) = ranks.get_mut(place) {
            *rank = signed_small(names.len());
        }
    }
    (statement.bind(names).bind(befores).bind(afters), ranks)
}

fn bind_events<'q>(statement: Statement<'q>, plan: &Plan, ranks: &[i32]) -> Statement<'q> {
    let events = &plan.events;
    let streams: Vec<i32> =
        events.iter().map(|event| ranks.get(event.stream).copied().unwrap_or_default()).collect();
    let versions: Vec<i64> = events.iter().map(|event| event.version.as_i64()).collect();
    let ids: Vec<Uuid> = events.iter().map(|event| event.event.id.as_uuid()).collect();
    let types: Vec<&str> = events.iter().map(|event| &*event.event.event_type).collect();
    let schemas: Vec<i32> =
        events.iter().map(|event| signed_small(event.event.schema_version.get())).collect();
    let metadata: Vec<&[u8]> = events.iter().map(|event| &**event.event.metadata.as_bytes()).collect();
    let payloads: Vec<&[u8]> = events.iter().map(|event| &*event.event.payload).collect();
    statement.bind(streams).bind(versions).bind(ids).bind(types).bind(schemas).bind(metadata).bind(payloads)
}

fn bind_commands<'q>(statement: Statement<'q>, plan: &Plan) -> Result<Statement<'q>, StoreError> {
    let mut commands: Vec<_> = plan.commands.iter().collect();
    commands.sort_unstable_by_key(|(command, _)| command.id);
    let ids: Vec<Uuid> = commands.iter().map(|(command, _)| command.id.as_uuid()).collect();
    let fingerprints: Vec<Option<&[u8]>> =
        commands.iter().map(|(command, _)| command.fingerprint.as_deref()).collect();
    let keeps: Vec<Option<i64>> = commands
        .iter()
        .map(|(command, _)| command.keep.map(|keep| later(plan.now, keep).as_microsecond()))
        .collect();
    let events: Vec<i32> =
        commands.iter().map(|(_, appended)| signed_small(appended.position.get())).collect();
    let mut streams = Vec::with_capacity(commands.len());
    for (_, appended) in &commands {
        let written: SmallVec<[(&StreamId, StreamVersion, StreamVersion); 4]> =
            appended.streams.iter().map(|written| (&written.stream, written.before, written.after)).collect();
        let encoded = serde_json::to_string(&written[..]);
        streams.push(encoded.map_err(|error| corrupt("streams of a command", &error))?);
    }
    Ok(statement.bind(ids).bind(fingerprints).bind(keeps).bind(events).bind(streams))
}

/// Binds the timers of the database that the plan consumes, and what it makes of the others.
fn bind_timers<'q>(statement: Statement<'q>, plan: &Plan) -> Statement<'q> {
    let (mut removed, mut set): (Vec<Uuid>, Vec<&NewTimer>) = (Vec::new(), Vec::new());
    let (mut claimed, mut tokens): (Vec<Uuid>, Vec<Uuid>) = (Vec::new(), Vec::new());
    for (id, timer) in &plan.timers {
        if let Some(token) = timer.consumed {
            claimed.push(id.as_uuid());
            tokens.push(token);
        }
        match &timer.change {
            Some(TimerChange::Remove) if timer.consumed.is_none() => removed.push(id.as_uuid()),
            None | Some(TimerChange::Remove) => {}
            Some(TimerChange::Set(timer)) => set.push(timer),
        }
    }
    let ids: Vec<Uuid> = set.iter().map(|timer| timer.id.as_uuid()).collect();
    let schedules: Vec<Uuid> = set.iter().map(|timer| timer.token).collect();
    let queues: Vec<&str> = set.iter().map(|timer| timer.queue.as_str()).collect();
    let streams: Vec<&str> = set.iter().map(|timer| timer.stream.as_str()).collect();
    let dues: Vec<i64> = set.iter().map(|timer| timer.due.as_microsecond()).collect();
    let payloads: Vec<&[u8]> = set.iter().map(|timer| &*timer.payload).collect();
    statement
        .bind(claimed)
        .bind(tokens)
        .bind(removed)
        .bind(ids)
        .bind(schedules)
        .bind(queues)
        .bind(streams)
        .bind(dues)
        .bind(payloads)
}
