//! Writes what a batch was decided to be, and commits.
//!
//! A few rows go in one statement, because each statement costs two thread switches. Many rows go table by table:
//! there are too many combinations of counts to keep each prepared.

use super::commands;
use super::known_streams::StreamRows;
use crate::connections::Write;
use crate::rows::{RowStatement, Statement, chunk, json_ids};
use composable_rust_core::port::plan::{Plan, PlannedEvent, PlannedStream, TimerChange};
use composable_rust_core::port::{NewTimer, StoreError};
use composable_rust_core::{Position, RecordedEvent};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

/// Up to so many rows of each table are written by one statement.
const FEW: usize = 8;

macro_rules! insert_events {
    () => {
        "INSERT INTO events (position, stream_id, version, event_id, event_type, schema_version, recorded_at, metadata,
         payload) VALUES "
    };
}

static INSERT_EVENTS: RowStatement = RowStatement::new(insert_events!(), "(?, ?, ?, ?, ?, ?, ?, ?, ?)", "");

static BEGIN_AND_INSERT_EVENTS: RowStatement =
    RowStatement::new(concat!("BEGIN IMMEDIATE;", insert_events!()), "(?, ?, ?, ?, ?, ?, ?, ?, ?)", "");

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

const REMOVE_TIMERS: &str = "DELETE FROM timers WHERE id IN (SELECT unhex(value) FROM json_each(?))";

static PUT_TIMERS: RowStatement = RowStatement::new(
    "INSERT OR REPLACE INTO timers (id, token, queue, stream, due, attempts, payload) VALUES ",
    "(?, ?, ?, ?, ?, 0, ?)",
    "",
);

/// The rows of a plan, table by table.
struct Rows<'p> {
    /// Whether the transaction has begun.
    begun: bool,
    recorded_at: i64,
    first_position: Position,
    events: Vec<PlannedEvent>,
    numbers: &'p StreamRows,
    removed: Vec<Uuid>,
    set: Vec<&'p NewTimer>,
    streams: Vec<(i64, &'p PlannedStream)>,
}

/// Writes the plan's rows and commits; begins the transaction where that is not done yet.
pub(super) async fn write_plan(
    write: &mut Write<'_>,
    plan: &mut Plan,
    numbers: &StreamRows,
    begun: bool,
) -> Result<(), StoreError> {
    if !plan.commands.is_empty() {
        commands::purge(write, plan.now).await?;
    }
    let first_position = plan.first_position();
    let events = std::mem::take(&mut plan.events);
    let rows = Rows { begun, ..Rows::of(plan, numbers, first_position, events) };
    if rows.are_few() && plan.commands.len() <= FEW {
        few(write, plan, rows).await
    } else {
        many(write, plan, rows).await
    }
}

impl<'p> Rows<'p> {
    fn of(
        plan: &'p Plan,
        numbers: &'p StreamRows,
        first_position: Position,
        events: Vec<PlannedEvent>,
    ) -> Self {
        let (mut removed, mut set) = (Vec::new(), Vec::new());
        for (id, timer) in &plan.timers {
            match &timer.change {
                None => {}
                Some(TimerChange::Remove) => removed.push(id.as_uuid()),
                Some(TimerChange::Set(timer)) => set.push(&**timer),
            }
        }
        let numbered = plan.streams.iter().enumerate().filter(|(_, stream)| stream.is_written());
        let streams = numbered.map(|(place, stream)| (numbers.get(place), stream)).collect();
        let recorded_at = plan.now.as_microsecond();
        Self { begun: true, recorded_at, first_position, events, numbers, removed, set, streams }
    }

    fn are_few(&self) -> bool {
        self.events.len() <= FEW && self.set.len() <= FEW && self.streams.len() <= FEW
    }
}

/// All tables and the commit in one statement.
async fn few(write: &mut Write<'_>, plan: &Plan, rows: Rows<'_>) -> Result<(), StoreError> {
    let mut text = String::with_capacity(1024);
    let mut push = |part: &str| {
        text.push_str(part);
        text.push(';');
    };
    if !rows.begun {
        push("BEGIN IMMEDIATE");
    }
    if !rows.events.is_empty() {
        push(INSERT_EVENTS.text(rows.events.len()));
    }
    if !rows.removed.is_empty() {
        push(REMOVE_TIMERS);
    }
    if !rows.set.is_empty() {
        push(PUT_TIMERS.text(rows.set.len()));
    }
    if !plan.commands.is_empty() {
        push(commands::INSERT.text(plan.commands.len()));
    }
    if !rows.streams.is_empty() {
        push(PUT_STREAMS.text(rows.streams.len()));
    }
    push("COMMIT");
    let mut statement = sqlx::query(AssertSqlSafe(text));
    statement =
        bind_events(statement, rows.events.into_iter(), rows.numbers, rows.first_position, rows.recorded_at);
    if !rows.removed.is_empty() {
        statement = statement.bind(json_ids(rows.removed));
    }
    statement = bind_timers(statement, &rows.set);
    statement = commands::bind(statement, &plan.commands, plan.now)?;
    write.finish(bind_streams(statement, &rows.streams)).await.map(drop)
}

/// Table by table, the commit with the last.
async fn many(write: &mut Write<'_>, plan: &Plan, rows: Rows<'_>) -> Result<(), StoreError> {
    let mut position = rows.first_position;
    let mut begun = rows.begun;
    if !begun && rows.events.is_empty() {
        write.run(sqlx::query("BEGIN IMMEDIATE")).await?;
    }
    let mut events = rows.events.into_iter();
    while events.len() > 0 {
        let count = chunk(events.len());
        let part = events.by_ref().take(count);
        let statement = if begun { INSERT_EVENTS.of(count) } else { BEGIN_AND_INSERT_EVENTS.of(count) };
        write.run(bind_events(statement, part, rows.numbers, position, rows.recorded_at)).await?;
        begun = true;
        position = position.plus(count as u64);
    }
    if !rows.removed.is_empty() {
        write.run(sqlx::query(REMOVE_TIMERS).bind(json_ids(rows.removed))).await?;
    }
    let mut timers = &rows.set[..];
    while !timers.is_empty() {
        let (part, rest) = timers.split_at(chunk(timers.len()));
        write.run(bind_timers(PUT_TIMERS.of(part.len()), part)).await?;
        timers = rest;
    }
    let mut answered = &plan.commands[..];
    while !answered.is_empty() {
        let (part, rest) = answered.split_at(chunk(answered.len()));
        write.run(commands::bind(commands::INSERT.of(part.len()), part, plan.now)?).await?;
        answered = rest;
    }
    let mut streams = &rows.streams[..];
    while streams.len() > chunk(streams.len()) {
        let (part, rest) = streams.split_at(chunk(streams.len()));
        write.run(bind_streams(PUT_STREAMS.of(part.len()), part)).await?;
        streams = rest;
    }
    let last = match streams.len() {
        0 => sqlx::query("COMMIT"),
        count => bind_streams(PUT_STREAMS_AND_COMMIT.of(count), streams),
    };
    write.finish(last).await.map(drop)
}

fn bind_events<'q>(
    mut statement: Statement<'q>,
    events: impl Iterator<Item = PlannedEvent>,
    numbers: &StreamRows,
    first: Position,
    recorded_at: i64,
) -> Statement<'q> {
    let mut position = first;
    for PlannedEvent { stream, version, event } in events {
        statement = statement
            .bind(position.as_i64())
            .bind(numbers.get(stream))
            .bind(version.as_i64())
            .bind(event.id.as_uuid().as_bytes().to_vec())
            .bind(event.event_type.into_owned())
            .bind(event.schema_version.get())
            .bind(recorded_at)
            .bind(event.metadata.as_bytes().to_vec())
            .bind(event.payload.to_vec());
        position = position.next();
    }
    statement
}

fn bind_timers<'q>(mut statement: Statement<'q>, timers: &[&NewTimer]) -> Statement<'q> {
    for timer in timers {
        statement = statement
            .bind(timer.id.as_uuid().as_bytes().to_vec())
            .bind(timer.token.as_bytes().to_vec())
            .bind(timer.queue.clone())
            .bind(timer.stream.as_str().to_owned())
            .bind(timer.due.as_microsecond())
            .bind(timer.payload.to_vec());
    }
    statement
}

fn bind_streams<'q>(mut statement: Statement<'q>, streams: &[(i64, &PlannedStream)]) -> Statement<'q> {
    for (row, stream) in streams {
        statement = statement.bind(*row).bind(stream.name.as_str().to_owned()).bind(stream.version.as_i64());
    }
    statement
}

/// The events of a plan as readers will find them.
pub(super) fn recorded(plan: &Plan) -> Vec<RecordedEvent> {
    let mut position = plan.first_position();
    let mut events = Vec::with_capacity(plan.events.len());
    for PlannedEvent { stream, version, event } in &plan.events {
        let Some(stream) = plan.streams.get(*stream) else { continue };
        events.push(RecordedEvent {
            position,
            stream: stream.name.clone(),
            version: *version,
            id: event.id,
            event_type: event.event_type.clone(),
            schema_version: event.schema_version,
            payload: event.payload.clone(),
            metadata: event.metadata.clone(),
            recorded_at: plan.now,
        });
        position = position.next();
    }
    events
}
