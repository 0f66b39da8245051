//! Appending: what the batch needs to know is read by one statement, decided in memory and written by a few.

use super::commands;
use super::plan::{Plan, PlannedEvent, PlannedTimer, TimerChange};
use crate::connections::{Database, Write};
use crate::rows::{RowStatement, Statement, chunk, column, json_ids, json_texts, unsigned, uuid};
use composable_rust_core::port::{Append, AppendError, Appended, StoreError, TimerClaim};
use composable_rust_core::{CommandId, Position, StreamVersion};
use sqlx::sqlite::SqliteRow;
use std::sync::Arc;

/// Begins the transaction and answers: 0 with number, row and version of each stream that exists, 1 with the number
/// of each command that was answered, 2 with the number and token of each timer that is pending.
const BEGIN: &str = "BEGIN IMMEDIATE;
    SELECT 0, j.key, s.id, s.version FROM json_each(?) j CROSS JOIN streams s ON s.name = j.value;
    SELECT 1, j.key, 0, 0 FROM json_each(?) j CROSS JOIN commands c ON c.id = unhex(j.value)
        WHERE c.keep_until IS NULL OR c.keep_until > ?;
    SELECT 2, j.key, t.token, 0 FROM json_each(?) j CROSS JOIN timers t ON t.id = unhex(j.value)";

static INSERT_EVENTS: RowStatement = RowStatement::new(
    "INSERT INTO events (position, stream_id, version, event_id, event_type, schema_version, recorded_at, metadata,
     payload) VALUES ",
    "(?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "",
);

static PUT_STREAMS: RowStatement = RowStatement::new(
    "INSERT INTO streams (id, name, version) VALUES ",
    "(?, ?, ?)",
    " ON CONFLICT DO UPDATE SET version = excluded.version",
);

static PUT_STREAMS_AND_COMMIT: RowStatement = RowStatement::new(
    "INSERT INTO streams (id, name, version) VALUES ",
    "(?, ?, ?)",
    " ON CONFLICT DO UPDATE SET version = excluded.version; COMMIT",
);

static PUT_TIMERS: RowStatement = RowStatement::new(
    "INSERT OR REPLACE INTO timers (id, token, queue, stream, due, attempts, payload) VALUES ",
    "(?, ?, ?, ?, ?, 0, ?)",
    "",
);

pub(super) async fn append_batch(
    database: &Arc<Database>,
    batch: Vec<Append>,
) -> Result<Vec<Result<Appended, AppendError>>, StoreError> {
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    let mut write = database.write("append events").await?;
    // The clock is read in turn, so that later positions have later times as long as the clock does not go back.
    let mut plan = Plan::new(&batch, database.now(), write.known().newest);
    learn(&mut write, &mut plan, &batch).await?;
    for append in batch {
        plan.decide(append);
    }
    if plan.is_empty() {
        write.abandon().await?;
        return Ok(plan.results);
    }
    write_events(&mut write, &mut plan).await?;
    write_timers(&mut write, &plan).await?;
    if !plan.commands.is_empty() {
        commands::insert(&mut write, &plan.commands, plan.now).await?;
        commands::purge(&mut write, plan.now).await?;
    }
    write_streams_and_commit(&mut write, &plan).await?;
    write.known().newest = plan.newest;
    database.signal.advance(plan.newest.position);
    Ok(plan.results)
}

/// Begins the transaction and fills the plan with what the database holds.
async fn learn(write: &mut Write<'_>, plan: &mut Plan, batch: &[Append]) -> Result<(), StoreError> {
    let asked: Vec<_> =
        batch.iter().filter_map(|append| append.command.as_ref()).map(|command| command.id).collect();
    let claims: Vec<TimerClaim> = batch.iter().flat_map(|append| &append.timers.claim).copied().collect();
    let statement = sqlx::query(BEGIN)
        .bind(json_texts(plan.streams.iter().map(|stream| stream.name.as_str())))
        .bind(json_ids(asked.iter().map(CommandId::as_uuid)))
        .bind(plan.now.as_microsecond())
        .bind(json_ids(claims.iter().map(|claim| claim.id.as_uuid())));
    let mut answered = Vec::new();
    for row in write.run(statement).await? {
        let number: usize = unsigned(&row, 1)?;
        match column::<i64>(&row, 0)? {
            0 => learn_stream(plan, number, &row)?,
            1 => answered.extend(asked.get(number).copied()),
            _ => learn_timer(plan, claims.get(number), &row)?,
        }
    }
    if !answered.is_empty() {
        let rows = write.run(commands::find_statement(answered, plan.now)).await?;
        plan.learn_commands(commands::records(&rows)?);
    }
    Ok(())
}

fn learn_stream(plan: &mut Plan, number: usize, row: &SqliteRow) -> Result<(), StoreError> {
    if let Some(stream) = plan.streams.get_mut(number) {
        stream.id = column(row, 2)?;
        stream.version = StreamVersion::from_i64(column(row, 3)?);
    }
    Ok(())
}

fn learn_timer(plan: &mut Plan, claim: Option<&TimerClaim>, row: &SqliteRow) -> Result<(), StoreError> {
    if let Some(claim) = claim {
        plan.timers.insert(claim.id, PlannedTimer { token: Some(uuid(row, 2)?), change: None });
    }
    Ok(())
}

async fn write_events(write: &mut Write<'_>, plan: &mut Plan) -> Result<(), StoreError> {
    let mut position = plan.first_position();
    let recorded_at = plan.now.as_microsecond();
    let mut events = std::mem::take(&mut plan.events).into_iter();
    while events.len() > 0 {
        let count = chunk(events.len());
        let mut statement = INSERT_EVENTS.of(count);
        for event in events.by_ref().take(count) {
            statement = bind_event(statement, position, event, recorded_at);
            position = position.next();
        }
        write.run(statement).await?;
    }
    Ok(())
}

fn bind_event(
    statement: Statement<'_>,
    position: Position,
    planned: PlannedEvent,
    recorded_at: i64,
) -> Statement<'_> {
    let event = planned.event;
    statement
        .bind(position.as_i64())
        .bind(planned.stream)
        .bind(planned.version.as_i64())
        .bind(event.id.as_uuid().as_bytes().to_vec())
        .bind(event.event_type.into_owned())
        .bind(event.schema_version.get())
        .bind(recorded_at)
        .bind(event.metadata.as_bytes().to_vec())
        .bind(Vec::from(event.payload))
}

async fn write_timers(write: &mut Write<'_>, plan: &Plan) -> Result<(), StoreError> {
    let (mut removed, mut set) = (Vec::new(), Vec::new());
    for (id, timer) in &plan.timers {
        match &timer.change {
            None => {}
            Some(TimerChange::Remove) => removed.push(id.as_uuid()),
            Some(TimerChange::Set(timer)) => set.push(timer),
        }
    }
    if !removed.is_empty() {
        let statement = sqlx::query("DELETE FROM timers WHERE id IN (SELECT unhex(value) FROM json_each(?))")
            .bind(json_ids(removed));
        write.run(statement).await?;
    }
    let mut left = &set[..];
    while !left.is_empty() {
        let (part, rest) = left.split_at(chunk(left.len()));
        let mut statement = PUT_TIMERS.of(part.len());
        for timer in part {
            statement = statement
                .bind(timer.id.as_uuid().as_bytes().to_vec())
                .bind(timer.token.as_bytes().to_vec())
                .bind(timer.queue.as_str())
                .bind(timer.stream.as_str())
                .bind(timer.due.as_microsecond())
                .bind(timer.payload.to_vec());
        }
        write.run(statement).await?;
        left = rest;
    }
    Ok(())
}

async fn write_streams_and_commit(write: &mut Write<'_>, plan: &Plan) -> Result<(), StoreError> {
    let written: Vec<_> = plan.streams.iter().filter(|stream| stream.written).collect();
    let mut left = &written[..];
    if left.is_empty() {
        return write.finish(sqlx::query("COMMIT")).await.map(drop);
    }
    while !left.is_empty() {
        let (part, rest) = left.split_at(chunk(left.len()));
        let texts = if rest.is_empty() { &PUT_STREAMS_AND_COMMIT } else { &PUT_STREAMS };
        let mut statement = texts.of(part.len());
        for stream in part {
            statement = statement.bind(stream.id).bind(stream.name.as_str()).bind(stream.version.as_i64());
        }
        if rest.is_empty() {
            write.finish(statement).await?;
        } else {
            write.run(statement).await?;
        }
        left = rest;
    }
    Ok(())
}
