//! The engine's side of [`Rows`]: which rows a batch of events needs, and what is to be written in the end.
//!
//! No I/O: whoever drives it loads the rows and commits the changes.

use super::rows::{Current, Stored};
use super::{Fault, Projection, Row, Rows};
use crate::port::{RowChange, StoredRow};
use crate::{Recorded, panic_text};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a fold came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Folded {
    /// [`RowBatch::changes`] has the outcome.
    Complete,
    /// Rows are missing: load [`RowBatch::missing`], [`RowBatch::supply`] them and fold again.
    Missing,
    /// The event at this place of the batch is at fault; nothing may be written.
    Fault(usize, Fault),
}

/// A stored row is not of the projection's row type. Raise the projection's version, so that it is rebuilt.
#[derive(Debug, thiserror::Error)]
#[error("stored row {key:?} does not fit its type")]
pub struct RowDecodeError {
    /// The row's key.
    pub key: String,
    /// The cause.
    #[source]
    pub source: serde_json::Error,
}

/// Folds batches of events against the rows they touch.
///
/// Call [`Self::fold`] until it is complete, loading what is missing in between: two folds for a batch whose rows are
/// cold, one where they are known, one more for each step of a chain of `with`. Then write [`Self::changes`] and call
/// [`Self::settle`], or [`Self::forget`] if the write failed.
///
/// Why it ends: rows supplied are kept for the next fold, those that do not exist too, so each fold gets past the first
/// key that it lacked. A row that was `put` without being loaded is dropped, because in the next fold it may be read
/// before it is put.
#[derive(Debug)]
pub struct RowBatch<R: Row> {
    rows: Rows<R>,
}

impl<R: Row> RowBatch<R> {
    /// A batch that knows no row.
    pub fn new() -> Self {
        Self { rows: Rows::new(false) }
    }

    /// A batch that starts from nothing and keeps every row: the whole read model in memory.
    pub fn in_memory() -> Self {
        Self { rows: Rows::new(true) }
    }

    /// Folds `events`, after undoing what an earlier fold did. A panic of the projection is a fault of the event.
    pub fn fold<P: Projection<Row = R>>(&mut self, projection: &P, events: &[Recorded<P::Event>]) -> Folded {
        self.reset();
        let folding = AssertUnwindSafe(|| {
            for (place, event) in events.iter().enumerate() {
                self.rows.event = place;
                projection.project(event, &mut self.rows);
            }
        });
        if let Err(panic) = catch_unwind(folding) {
            let place = self.rows.event;
            // What it left half done is not to be built upon.
            self.forget();
            return Folded::Fault(place, Fault::Panicked { text: panic_text(&*panic).to_owned() });
        }
        match self.rows.fault.take() {
            _ if !self.rows.wanted.is_empty() => Folded::Missing,
            Some((place, fault)) => Folded::Fault(place, fault),
            None => Folded::Complete,
        }
    }

    /// Keys of rows that the last fold lacked, in the order in which it wanted them.
    pub fn missing(&self) -> Vec<String> {
        self.rows.wanted.iter().map(|&slot| self.rows.slots[slot].key.to_string()).collect()
    }

    /// Supplies all [`Self::missing`] rows: those found; the others do not exist.
    ///
    /// # Errors
    /// [`RowDecodeError`] when one is not of the row type.
    pub fn supply(&mut self, found: Vec<StoredRow>) -> Result<(), RowDecodeError> {
        let mut found: BTreeMap<String, StoredRow> =
            found.into_iter().map(|row| (row.key.clone(), row)).collect();
        for slot in std::mem::take(&mut self.rows.wanted) {
            let slot = &mut self.rows.slots[slot];
            slot.wanted = false;
            slot.stored = match found.remove(&*slot.key) {
                Some(StoredRow { key, body }) => Stored::Present(
                    serde_json::from_slice(&body).map_err(|source| RowDecodeError { key, source })?,
                ),
                None => Stored::Absent,
            };
        }
        Ok(())
    }

    /// What the last, complete fold changed, by key. A row that became what it was is not among them.
    ///
    /// # Errors
    /// The place of the event and the [`Fault`] when a row cannot be written.
    pub fn changes(&self) -> Result<Vec<RowChange>, (usize, Fault)> {
        let mut touched: Vec<_> = self.rows.touched.iter().map(|&slot| &self.rows.slots[slot]).collect();
        touched.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        let mut changes = Vec::with_capacity(touched.len());
        for slot in touched {
            match (slot.view(), &slot.stored) {
                (None, Stored::Absent) => {}
                (None, Stored::Unknown | Stored::Present(_)) => {
                    changes.push(RowChange::Delete { key: slot.key.to_string() });
                }
                (Some(row), Stored::Present(stored)) if row == stored => {}
                (Some(row), _) => changes.push(put(&slot.key, row).map_err(|fault| (slot.event, fault))?),
            }
        }
        Ok(changes)
    }

    /// Takes the last fold's changes as stored. Rows stay known, so that the next batch need not load them; when there
    /// are more than `keep`, all are dropped.
    pub fn settle(&mut self, keep: usize) {
        for slot in std::mem::take(&mut self.rows.touched) {
            let slot = &mut self.rows.slots[slot];
            if let Current::Became(row) = std::mem::replace(&mut slot.current, Current::AsStored) {
                slot.stored = row.map_or(Stored::Absent, Stored::Present);
            }
        }
        if self.rows.slots.len() > keep {
            self.forget();
        }
    }

    /// Drops everything known about rows, for when it may not be true.
    pub fn forget(&mut self) {
        self.rows = Rows::new(self.rows.complete);
    }

    /// All rows known to exist, by key: the read model, if this batch was made [in memory](Self::in_memory).
    pub fn into_rows(self) -> BTreeMap<String, R> {
        let slots = self.rows.slots.into_iter();
        let rows = slots.filter_map(|slot| {
            let row = match (slot.current, slot.stored) {
                (Current::Became(row), _) => row,
                (Current::AsStored, Stored::Present(row)) => Some(row),
                (Current::AsStored, Stored::Absent | Stored::Unknown) => None,
            };
            row.map(|row| (slot.key.to_string(), row))
        });
        rows.collect()
    }

    fn reset(&mut self) {
        for slot in self.rows.touched.drain(..) {
            self.rows.slots[slot].current = Current::AsStored;
        }
        for slot in self.rows.wanted.drain(..) {
            self.rows.slots[slot].wanted = false;
        }
        self.rows.fault = None;
    }
}

fn put<R: Row>(key: &str, row: &R) -> Result<RowChange, Fault> {
    let row_key = row.key();
    if row_key != key {
        return Err(Fault::WrongKey { key: key.to_owned(), row_key });
    }
    match serde_json::to_vec(row) {
        Ok(body) => Ok(RowChange::Put { key: row_key, body: body.into(), indexes: row.index_values() }),
        Err(error) => Err(Fault::Encode { key: row_key, reason: error.to_string() }),
    }
}

impl<R: Row> Default for RowBatch<R> {
    fn default() -> Self {
        Self::new()
    }
}
