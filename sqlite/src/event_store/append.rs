//! Appending: what the batch needs to know and the writer does not remember is read by one statement, decided in memory ([`Plan`]) and written
//! (`write.rs`) by one or a few.

use super::commands;
use super::known_streams::StreamRows;
use super::write::{recorded, write_plan};
use crate::connections::{Database, Newest, Write};
use crate::rows::{column, json_ids, json_texts, unsigned, uuid};
use composable_rust_core::port::plan::Plan;
use composable_rust_core::port::{Append, AppendError, Appended, StoreError, TimerClaim};
use composable_rust_core::{CommandId, StreamVersion};
use sqlx::sqlite::SqliteRow;
use std::sync::Arc;

/// Begins the transaction and answers: 0 with number, row and version of each stream that exists, 1 with the number
/// of each command that was answered, 2 with the number and token of each timer that is pending.
const BEGIN: &str = "BEGIN IMMEDIATE;
    SELECT 0, j.key, s.id, s.version FROM json_each(?) j CROSS JOIN streams s ON s.name = j.value;
    SELECT 1, j.key, 0, 0 FROM json_each(?) j CROSS JOIN commands c ON c.id = unhex(j.value)
        WHERE c.keep_until IS NULL OR c.keep_until > ?;
    SELECT 2, j.key, t.token, 0 FROM json_each(?) j CROSS JOIN timers t ON t.id = unhex(j.value)";

pub(super) async fn append_batch(
    database: &Arc<Database>,
    batch: Vec<Append>,
) -> Result<Vec<Result<Appended, AppendError>>, StoreError> {
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    let mut write = database.write("append events").await?;
    // The clock is read in turn, so that later positions have later times as long as the clock does not go back.
    let mut plan = Plan::new(&batch, database.now(), write.known().newest.position);
    let mut rows = StreamRows::of(&plan, write.known().newest.stream);
    let begun = learn(&mut write, &mut plan, &mut rows, &batch).await?;
    for append in batch {
        plan.decide(append);
    }
    if plan.is_empty() {
        if begun {
            write.abandon().await?;
        }
        return Ok(plan.results);
    }
    let recorded = recorded(&plan);
    rows.number(&plan);
    write_plan(&mut write, &mut plan, &rows, begun).await?;
    let known = write.known();
    known.newest = Newest { position: plan.newest, stream: rows.newest };
    rows.remember(&plan, &mut known.streams);
    database.tail().extend(recorded);
    database.signal.advance(plan.newest);
    Ok(plan.results)
}

/// Fills the plan with what the database holds; answers whether the transaction had to begin for that.
async fn learn(
    write: &mut Write<'_>,
    plan: &mut Plan,
    rows: &mut StreamRows,
    batch: &[Append],
) -> Result<bool, StoreError> {
    let unknown = rows.recall(plan, &mut write.known().streams);
    let asked: Vec<_> =
        batch.iter().filter_map(|append| append.command.as_ref()).map(|command| command.id).collect();
    let claims: Vec<TimerClaim> = batch.iter().flat_map(|append| &append.timers.claim).copied().collect();
    if unknown.is_empty() && asked.is_empty() && claims.is_empty() {
        return Ok(false);
    }
    let names =
        unknown.iter().filter_map(|&place| plan.streams.get(place)).map(|stream| stream.name.as_str());
    let statement = sqlx::query(BEGIN)
        .bind(json_texts(names))
        .bind(json_ids(asked.iter().map(CommandId::as_uuid)))
        .bind(plan.now.as_microsecond())
        .bind(json_ids(claims.iter().map(|claim| claim.id.as_uuid())));
    let mut answered = Vec::new();
    for row in write.run(statement).await? {
        let number: usize = unsigned(&row, 1)?;
        match column::<i64>(&row, 0)? {
            0 => learn_stream(plan, rows, unknown.get(number), &row)?,
            1 => answered.extend(asked.get(number).copied()),
            _ => learn_timer(plan, claims.get(number), &row)?,
        }
    }
    if !answered.is_empty() {
        let rows = write.run(commands::find_statement(answered, plan.now)).await?;
        plan.learn_commands(commands::records(&rows)?);
    }
    Ok(true)
}

fn learn_stream(
    plan: &mut Plan,
    rows: &mut StreamRows,
    place: Option<&usize>,
    row: &SqliteRow,
) -> Result<(), StoreError> {
    if let Some(&place) = place {
        rows.set(place, column(row, 2)?);
        plan.learn_stream(place, StreamVersion::from_i64(column(row, 3)?));
    }
    Ok(())
}

fn learn_timer(plan: &mut Plan, claim: Option<&TimerClaim>, row: &SqliteRow) -> Result<(), StoreError> {
    if let Some(claim) = claim {
        plan.learn_timer(claim.id, uuid(row, 2)?);
    }
    Ok(())
}
