//! The verbs by which a projection changes rows.
//!
//! The engine's side (which rows must be loaded, what is to be written) is [`RowBatch`](super::RowBatch).

use super::Row;
use crate::IntoKey;
use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;

/// An event asked for something that cannot be; the projection's failure policy decides what follows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// `update` of a row that does not exist.
    #[error("row {key:?} cannot be updated: it does not exist (use `upsert` where it may be missing)")]
    MissingRow {
        /// The row's key.
        key: String,
    },
    /// A row was to be kept under a key that is not its own.
    #[error(
        "row {row_key:?} cannot be kept under {key:?}: a row's key never changes (delete it and put another)"
    )]
    WrongKey {
        /// The key named.
        key: String,
        /// The key that the row answers.
        row_key: String,
    },
    /// `project` panicked at the event.
    #[error("`project` panicked: {text}")]
    Panicked {
        /// What the panic said.
        text: String,
    },
    /// A row cannot be written as JSON.
    #[error("row {key:?} cannot be encoded: {reason}")]
    Encode {
        /// The row's key.
        key: String,
        /// What the encoder said.
        reason: String,
    },
}

/// The rows of a read model, as a projection sees them.
///
/// A key is given as the row's own type of key, by value or by reference: that of another kind does not compile.
///
/// There is no plain `get`: rows are loaded when a fold turns out to need them, and the fold then runs again. So a
/// closure may run more than once, or not at all in a run whose result is thrown away; it must only change its row.
#[derive(Debug)]
pub struct Rows<R: Row> {
    pub(super) slots: Vec<Slot<R>>,
    /// Finds slots; never iterated, so that its order shows nowhere.
    index: HashMap<Arc<str>, usize>,
    /// Slots changed by this fold, each once.
    pub(super) touched: Vec<usize>,
    /// Slots whose rows this fold would have needed, each once.
    pub(super) wanted: Vec<usize>,
    /// The event being folded, as its place in the batch.
    pub(super) event: usize,
    /// The first fault, and the event that caused it.
    pub(super) fault: Option<(usize, Fault)>,
    /// Whether a row that was never supplied is known not to exist.
    pub(super) complete: bool,
}

/// One key's row.
#[derive(Debug)]
pub(super) struct Slot<R> {
    pub(super) key: Arc<str>,
    pub(super) stored: Stored<R>,
    pub(super) current: Current<R>,
    pub(super) wanted: bool,
    /// The last event that changed it.
    pub(super) event: usize,
}

/// What this fold made of a row.
#[derive(Debug)]
pub(super) enum Current<R> {
    /// Nothing: it is as stored.
    AsStored,
    /// This, or nothing any more.
    Became(Option<R>),
}

/// What the store has under a key.
#[derive(Debug)]
pub(super) enum Stored<R> {
    /// Not looked up.
    Unknown,
    /// Looked up and not there.
    Absent,
    /// Looked up.
    Present(R),
}

impl<R: Row> Rows<R> {
    pub(super) fn new(complete: bool) -> Self {
        Self {
            slots: Vec::new(),
            index: HashMap::new(),
            touched: Vec::new(),
            wanted: Vec::new(),
            event: 0,
            fault: None,
            complete,
        }
    }

    /// Changes the row that must be there; a missing one is a [`Fault`], on which the projection's failure policy acts.
    pub fn update(&mut self, key: impl IntoKey<R::Key>, change: impl FnOnce(&mut R)) {
        let slot = self.slot(R::text_of(key.into_key()));
        if let Some(current) = self.open(slot) {
            match current {
                Some(row) => change(row),
                None => self.missing_row(slot),
            }
        }
    }

    /// Changes the row, after making it with `new` where it does not exist.
    pub fn upsert(
        &mut self,
        key: impl IntoKey<R::Key>,
        new: impl FnOnce() -> R,
        change: impl FnOnce(&mut R),
    ) {
        let slot = self.slot(R::text_of(key.into_key()));
        if let Some(current) = self.open(slot) {
            change(current.get_or_insert_with(new));
        }
    }

    /// Writes the row, whether it exists or not.
    pub fn put(&mut self, row: R) {
        let slot = self.slot(row.key());
        self.overwrite(slot, Some(row));
    }

    /// Removes the row; one that does not exist is fine.
    pub fn delete(&mut self, key: impl IntoKey<R::Key>) {
        let slot = self.slot(R::text_of(key.into_key()));
        self.overwrite(slot, None);
    }

    /// Looks at a row, to decide what to do with it or with others: `|row, rows| …`.
    ///
    /// The row is a copy; change it by one of the verbs of `rows`.
    pub fn with(&mut self, key: impl IntoKey<R::Key>, then: impl FnOnce(Option<R>, &mut Self)) {
        let slot = self.slot(R::text_of(key.into_key()));
        if self.is_known(slot) {
            let row = self.slots[slot].view().cloned();
            then(row, self);
        }
    }

    /// The place of a key, made where there is none.
    fn slot(&mut self, key: String) -> usize {
        if let Some(&slot) = self.index.get(key.as_str()) {
            return slot;
        }
        let key: Arc<str> = key.into();
        let slot = self.slots.len();
        self.index.insert(Arc::clone(&key), slot);
        self.slots.push(Slot {
            key,
            stored: Stored::Unknown,
            current: Current::AsStored,
            wanted: false,
            event: 0,
        });
        slot
    }

    /// The slot's row to be changed; `None` when it must be loaded first, which is noted.
    fn open(&mut self, slot: usize) -> Option<&mut Option<R>> {
        if !self.is_known(slot) {
            return None;
        }
        let found = &mut self.slots[slot];
        found.event = self.event;
        if matches!(found.current, Current::AsStored) {
            self.touched.push(slot);
            found.current = Current::Became(match &found.stored {
                Stored::Present(row) => Some(row.clone()),
                Stored::Absent | Stored::Unknown => None,
            });
        }
        match &mut found.current {
            Current::Became(row) => Some(row),
            Current::AsStored => None,
        }
    }

    /// Whether the slot's row is known; if not, that it is wanted is noted.
    fn is_known(&mut self, slot: usize) -> bool {
        let found = &mut self.slots[slot];
        match (&found.current, &found.stored) {
            (Current::AsStored, Stored::Unknown) if !self.complete => {}
            (Current::AsStored | Current::Became(_), _) => return true,
        }
        if !found.wanted {
            found.wanted = true;
            self.wanted.push(slot);
        }
        false
    }

    fn overwrite(&mut self, slot: usize, row: Option<R>) {
        let found = &mut self.slots[slot];
        found.event = self.event;
        if matches!(found.current, Current::AsStored) {
            self.touched.push(slot);
        }
        found.current = Current::Became(row);
    }

    fn missing_row(&mut self, slot: usize) {
        let key = self.slots[slot].key.to_string();
        self.fault.get_or_insert((self.event, Fault::MissingRow { key }));
    }
}

impl<R> Slot<R> {
    /// The row as this fold sees it now.
    pub(super) fn view(&self) -> Option<&R> {
        match (&self.current, &self.stored) {
            (Current::Became(row), _) => row.as_ref(),
            (Current::AsStored, Stored::Present(row)) => Some(row),
            (Current::AsStored, Stored::Absent | Stored::Unknown) => None,
        }
    }
}
