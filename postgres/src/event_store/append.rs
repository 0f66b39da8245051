//! Appending: a batch is decided in memory ([`Plan`]) on what it believes its streams to be, and written by one statement
//! that checks the belief. Where it was wrong the statement wrote nothing and answers what is there, and the batch is
//! decided again on that.

use super::facts::{Facts, Question};
use super::{commands, write};
use crate::connections::Database;
use composable_rust_core::Position;
use composable_rust_core::port::plan::Plan;
use composable_rust_core::port::{Append, AppendError, Appended, StoreError};
use jiff::Timestamp;
use std::sync::Arc;

const DOING: &str = "append events";

/// So often a batch is decided anew on what others wrote meanwhile; after that it locks its streams first.
const UNLOCKED: u32 = 3;
/// So often it is tried with locks: streams that are new cannot be locked.
const LOCKED: u32 = 10;

/// What each append of a batch is answered.
type Results = Vec<Result<Appended, AppendError>>;

/// What came of writing a plan.
pub(super) enum Written {
    /// It is committed: the positions of its events, and the newest before them.
    Done { positions: Vec<Position>, newest: Position },
    /// Nothing was written, because the database holds something else: this, as far as it was answered.
    Stale(Option<Facts>),
}

pub(super) async fn append_batch(
    database: &Arc<Database>,
    batch: Vec<Append>,
) -> Result<Results, StoreError> {
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    let now = database.now();
    let unsure = Unsure { database, armed: true };
    let result = decide_and_write(database, &batch, now).await;
    unsure.settle(matches!(result, Err(StoreError::Unavailable { .. })));
    result
}

async fn decide_and_write(
    database: &Arc<Database>,
    batch: &[Append],
    now: Timestamp,
) -> Result<Results, StoreError> {
    let empty = Plan::new(batch, now, Position::ZERO);
    let question = Question::of(batch, &empty);
    let mut facts = match Facts::believed(batch, &empty) {
        Some(facts) => facts,
        None => Facts::learned(database, &question, now).await?,
    };
    let mut tries = 0;
    while tries < UNLOCKED {
        let plan = facts.decide(batch, now);
        if let Some(newest) = facts.newest
            && plan.is_empty()
        {
            return Ok(resolved(plan, &[], newest));
        }
        if facts.newest.is_none() && (plan.is_empty() || plan.results.iter().any(Result::is_err)) {
            // A belief is good enough to write on, because that is checked, but not to refuse on.
            facts = Facts::learned(database, &question, now).await?;
            continue;
        }
        match write::write(database, &plan, &question).await? {
            Written::Done { positions, newest } => return Ok(finish(database, plan, &positions, newest)),
            Written::Stale(Some(told)) => facts = told,
            Written::Stale(None) => facts = Facts::learned(database, &question, now).await?,
        }
        tries += 1;
    }
    with_locks(database, batch, &question, now).await
}

/// Decides and writes a batch that others are always faster than.
async fn with_locks(
    database: &Arc<Database>,
    batch: &[Append],
    question: &Question,
    now: Timestamp,
) -> Result<Results, StoreError> {
    for _ in 0..LOCKED {
        let mut work = database.begin_write(DOING).await?;
        let facts = Facts::locked(database, &mut work, question, now).await?;
        let plan = facts.decide(batch, now);
        if let Some(newest) = facts.newest
            && plan.is_empty()
        {
            work.abandon().await?;
            return Ok(resolved(plan, &[], newest));
        }
        if let Written::Done { positions, newest } = write::within(&mut work, &plan, question).await? {
            work.commit().await?;
            return Ok(finish(database, plan, &positions, newest));
        }
        work.abandon().await?;
    }
    Err(StoreError::unavailable(DOING, "others write the same streams all the time; nothing was written"))
}

/// Announces what was committed.
fn finish(database: &Arc<Database>, plan: Plan, positions: &[Position], newest: Position) -> Results {
    if let Some(&last) = positions.last() {
        database.horizon.want(last);
        database.appended.advance(last);
    }
    if !plan.commands.is_empty() {
        commands::purge_sometimes(database, plan.now);
    }
    resolved(plan, positions, newest)
}

/// The results of a plan whose positions were counted from zero; `newest` stood before them.
fn resolved(plan: Plan, positions: &[Position], newest: Position) -> Results {
    let own = |id| plan.commands.iter().any(|(command, _)| command.id == id);
    let place = |appended: &mut Appended| appended.position = position(appended.position, positions, newest);
    let mut results = plan.results;
    for result in &mut results {
        match result {
            Ok(appended) => place(appended),
            Err(AppendError::Duplicate(record)) if own(record.id) => place(&mut record.appended),
            Err(_) => {}
        }
    }
    results
}

/// The position of the `counted`th event of a batch.
fn position(counted: Position, positions: &[Position], newest: Position) -> Position {
    let place = usize::try_from(counted.get()).ok().and_then(|counted| counted.checked_sub(1));
    place.and_then(|place| positions.get(place)).copied().unwrap_or(newest)
}

/// Has the log looked at when an append ends without an answer: it may be committed, and nobody would be told.
struct Unsure<'a> {
    database: &'a Database,
    armed: bool,
}

impl Unsure<'_> {
    fn settle(mut self, unsure: bool) {
        self.armed = unsure;
    }
}

impl Drop for Unsure<'_> {
    fn drop(&mut self) {
        if self.armed {
            self.database.horizon.doubt();
        }
    }
}
