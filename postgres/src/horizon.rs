//! How far the log may be read: no event still to come can stand at or before the horizon. The rule and its proof are in
//! `docs/adr/0012`; the statement is `log_horizon` in the schema.
//!
//! One look serves all readers of the instance that asked before it began. The background looks again after appends, so
//! that the signal wakes readers when there is something to read. Waiting here is on the machine's time, not the
//! application's: it spares the server, which no simulation has.

use crate::connections::Database;
use crate::error::store_error;
use crate::rows::{column, unsigned};
use composable_rust_core::port::StoreError;
use composable_rust_core::{Position, Signal, elapsed};
use event_listener::Event;
use jiff::Timestamp;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

const DOING: &str = "find out how far the log may be read";

/// Least time between two looks of the background.
const PACE: Duration = Duration::from_millis(2);
/// How long a floor may hold readers back before it is told.
const STUCK: Duration = Duration::from_secs(5);

/// What this instance knows of the horizon.
#[derive(Debug, Default)]
pub(crate) struct Horizon {
    /// Stands at the horizon.
    pub(crate) signal: Signal,
    /// The newest position known to be committed, here or by what other instances told.
    wanted: AtomicU64,
    /// Looks that have begun.
    begun: AtomicU64,
    /// The last look that has ended well.
    ended: AtomicU64,
    turn: tokio::sync::Mutex<()>,
    stirred: Event,
    /// The background looks though it knows of nothing new.
    doubted: AtomicBool,
    held: Mutex<Option<Held>>,
}

/// A floor that holds readers back.
#[derive(Debug)]
struct Held {
    horizon: Position,
    since: Timestamp,
    told: bool,
}

impl Horizon {
    /// The newest position that readers may see, as far as is known.
    pub(crate) fn known(&self) -> Position {
        self.signal.position()
    }

    /// The newest position known to be committed.
    pub(crate) fn wanted(&self) -> Position {
        Position::ZERO.plus(self.wanted.load(Ordering::SeqCst))
    }

    /// Learns that events up to `position` were committed.
    pub(crate) fn want(&self, position: Position) {
        if self.wanted.fetch_max(position.get(), Ordering::SeqCst) < position.get() {
            self.stirred.notify(usize::MAX);
        }
    }

    /// Makes the background look, for instance because an append has ended in an unknown way.
    pub(crate) fn doubt(&self) {
        self.doubted.store(true, Ordering::SeqCst);
        self.stirred.notify(usize::MAX);
    }

    fn is_behind(&self) -> bool {
        self.known() < self.wanted()
    }
}

impl Database {
    /// The horizon as of a look that began after this call. Rows up to it are read by a later statement: one that had
    /// begun before would not see them all.
    pub(crate) async fn settle(&self) -> Result<Position, StoreError> {
        let horizon = &self.horizon;
        let asked = horizon.begun.load(Ordering::SeqCst);
        let _turn = horizon.turn.lock().await;
        if horizon.ended.load(Ordering::SeqCst) > asked {
            return Ok(horizon.known());
        }
        let look = horizon.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let statement = sqlx::query("SELECT horizon, newest, held_by FROM log_horizon()");
        let rows = self.try_write(statement).await.map_err(|error| store_error(DOING, error))?;
        let row = rows.first().ok_or_else(|| StoreError::Corrupt("no horizon was answered".into()))?;
        let newest: u64 = unsigned(row, 1)?;
        // A lower one than before comes from a floor that was taken since; what was readable stays so.
        horizon.signal.advance(Position::from_i64(column(row, 0)?));
        horizon.ended.store(look, Ordering::SeqCst);
        self.report(newest, column(row, 2)?);
        Ok(horizon.known())
    }

    /// Tells what holds readers back, once it has done so for long.
    fn report(&self, newest: u64, held_by: Option<i32>) {
        let (known, now) = (self.horizon.known(), self.environment.now());
        let behind = newest.saturating_sub(known.get());
        metrics::gauge!("log_positions_held_back").set(f64::from(u32::try_from(behind).unwrap_or(u32::MAX)));
        let mut held = self.horizon.held.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(pid) = held_by.filter(|_| behind > 0) else {
            *held = None;
            return;
        };
        match held.as_mut().filter(|held| held.horizon == known) {
            None => *held = Some(Held { horizon: known, since: now, told: false }),
            Some(held) if !held.told && elapsed(held.since, now) >= STUCK => {
                held.told = true;
                tracing::warn!(
                    horizon = known.get(),
                    newest,
                    pid,
                    "an append that is still open holds readers of the log back; see this process in pg_stat_activity"
                );
            }
            Some(_) => {}
        }
    }
}

/// Keeps the signal at the horizon until the database is closed or nobody has it any more.
pub(crate) fn watch(database: &Arc<Database>) {
    let weak = Arc::downgrade(database);
    database.environment.spawner.spawn("postgres horizon", Box::pin(run(weak)));
}

async fn run(weak: Weak<Database>) {
    let mut polled = false;
    loop {
        let Some(database) = weak.upgrade().filter(|database| !database.is_closed()) else { return };
        let stirred = database.horizon.stirred.listen();
        let doubted = database.horizon.doubted.swap(false, Ordering::SeqCst);
        if polled || doubted || database.horizon.is_behind() {
            if let Err(error) = database.settle().await {
                tracing::debug!(error = &error as &dyn std::error::Error, "the horizon is looked for again");
            }
            tokio::time::sleep(PACE).await;
        }
        if database.horizon.is_behind() {
            // Another append is under way, or a look has failed: both end soon, and neither tells.
            polled = true;
            continue;
        }
        let poll = database.options.poll_interval;
        drop(database);
        tokio::select! {
            biased;
            () = stirred => polled = false,
            () = tokio::time::sleep(poll) => polled = true,
        }
    }
}
