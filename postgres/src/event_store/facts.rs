//! What an append is decided on: believed at first, because most appends say what their streams are, and learned from
//! the database where that was wrong or says too little.

use super::commands;
use crate::connections::{Database, Work};
use crate::error::store_error;
use crate::rows::{Statement, column};
use composable_rust_core::port::plan::Plan;
use composable_rust_core::port::{Append, CommandRecord, StoreError, TimerClaim};
use composable_rust_core::{CommandId, ExpectedVersion, Position, StreamVersion, TimerId};
use jiff::Timestamp;
use sqlx::postgres::PgRow;
use std::collections::BTreeMap;
use uuid::Uuid;

const DOING: &str = "look up what an append is decided on";

/// What a batch asks the database, sorted as every append sorts it.
#[derive(Debug)]
pub(super) struct Question {
    /// Places of streams in the plan, by name.
    pub(super) places: Vec<usize>,
    pub(super) names: Vec<String>,
    timers: Vec<TimerId>,
    commands: Vec<CommandId>,
}

/// What the database holds of what a batch names.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// By the stream's place in the plan.
    versions: Vec<StreamVersion>,
    tokens: BTreeMap<TimerId, Uuid>,
    answered: BTreeMap<CommandId, CommandRecord>,
    /// The newest position that any of it can have; none if nothing was looked up.
    pub(super) newest: Option<Position>,
}

impl Question {
    pub(super) fn of(batch: &[Append], plan: &Plan) -> Self {
        let mut places: Vec<usize> = (0..plan.streams.len()).collect();
        places.sort_unstable_by_key(|&place| plan.streams.get(place).map(|stream| stream.name.as_str()));
        let name = |&place: &usize| plan.streams.get(place).map(|stream| stream.name.as_str().to_owned());
        let names = places.iter().filter_map(name).collect();
        let claims = batch.iter().flat_map(|append| &append.timers.claim);
        let mut timers: Vec<_> = claims.map(|claim| claim.id).collect();
        timers.sort_unstable();
        timers.dedup();
        let commands = batch.iter().filter_map(|append| Some(append.command.as_ref()?.id)).collect();
        Self { places, names, timers, commands }
    }

    /// Whether `plan` writes all that is asked about, so that what its statement answers is the answer to this.
    pub(super) fn is_of_all(&self, plan: &Plan) -> bool {
        let consumed = plan.timers.values().filter(|timer| timer.consumed.is_some()).count();
        plan.results.iter().all(Result::is_ok) && consumed == self.timers.len()
    }

    fn statement(&self, now: Timestamp) -> Statement<'_> {
        let timers: Vec<Uuid> = self.timers.iter().map(TimerId::as_uuid).collect();
        let commands: Vec<Uuid> = self.commands.iter().map(CommandId::as_uuid).collect();
        sqlx::query("SELECT versions, tokens, answered, newest FROM append_facts($1, $2, $3, $4)")
            .bind(&self.names)
            .bind(timers)
            .bind(commands)
            .bind(now.as_microsecond())
    }
}

impl Facts {
    /// What `batch` believes, if that is enough to decide it.
    pub(super) fn believed(batch: &[Append], plan: &Plan) -> Option<Self> {
        let mut versions = vec![None; plan.streams.len()];
        for part in batch.iter().flat_map(|append| &append.streams) {
            let believed = match part.expected {
                ExpectedVersion::NoStream => StreamVersion::ZERO,
                ExpectedVersion::Exact(version) => version,
                ExpectedVersion::Any | ExpectedVersion::Exists => continue,
            };
            if let Some(version) = plan.place(&part.stream).and_then(|place| versions.get_mut(place)) {
                version.get_or_insert(believed);
            }
        }
        let versions = versions.into_iter().collect::<Option<Vec<_>>>()?;
        let mut tokens = BTreeMap::new();
        for claim in batch.iter().flat_map(|append| &append.timers.claim) {
            let TimerClaim { id, token } = *claim;
            tokens.entry(id).or_insert(token);
        }
        Some(Self { versions, tokens, ..Self::default() })
    }

    /// What the database holds at this moment.
    pub(super) async fn learned(
        database: &Database,
        question: &Question,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let rows = database.try_write(question.statement(now)).await;
        let rows = rows.map_err(|error| store_error(DOING, error))?;
        let row = rows.first().ok_or_else(|| StoreError::Corrupt("no facts were answered".into()))?;
        Self::of(database, question, row, 0, now).await
    }

    /// As [`Self::learned`], within a transaction that has locked the streams.
    pub(super) async fn locked(
        database: &Database,
        work: &mut Work,
        question: &Question,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let lock = "SELECT 1 FROM streams WHERE name = ANY ($1) ORDER BY name FOR UPDATE";
        work.all(sqlx::query(lock).bind(&question.names)).await?;
        let rows = work.all(question.statement(now)).await?;
        let row = rows.first().ok_or_else(|| StoreError::Corrupt("no facts were answered".into()))?;
        Self::of(database, question, row, 0, now).await
    }

    /// The facts in the columns of a row from `first` on: versions, tokens, answered commands, newest position.
    pub(super) async fn of(
        database: &Database,
        question: &Question,
        row: &PgRow,
        first: usize,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let mut facts =
            Self { versions: vec![StreamVersion::ZERO; question.places.len()], ..Self::default() };
        let versions: Vec<i64> = column::<Option<_>>(row, first)?.unwrap_or_default();
        for (&place, version) in question.places.iter().zip(versions) {
            if let Some(known) = facts.versions.get_mut(place) {
                *known = StreamVersion::from_i64(version);
            }
        }
        let tokens: Vec<Option<Uuid>> = column::<Option<_>>(row, first + 1)?.unwrap_or_default();
        for (&id, token) in question.timers.iter().zip(tokens) {
            facts.tokens.extend(token.map(|token| (id, token)));
        }
        let answered: Vec<Uuid> = column::<Option<_>>(row, first + 2)?.unwrap_or_default();
        if !answered.is_empty() {
            facts.answered = commands::find_all(database, answered, now).await?;
        }
        facts.newest = Some(Position::from_i64(column(row, first + 3)?));
        Ok(facts)
    }

    /// A plan of `batch` on these facts.
    pub(super) fn decide(&self, batch: &[Append], now: Timestamp) -> Plan {
        // Positions are not known yet: they are counted from zero.
        let mut plan = Plan::new(batch, now, Position::ZERO);
        for (place, version) in self.versions.iter().enumerate() {
            plan.learn_stream(place, *version);
        }
        for (id, token) in &self.tokens {
            plan.learn_timer(*id, *token);
        }
        plan.learn_commands(self.answered.clone());
        for append in batch {
            plan.decide(append.clone());
        }
        plan
    }
}
