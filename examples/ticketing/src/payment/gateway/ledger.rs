//! The books of the development gateway: they belong to another party, so they survive a crash of the application.

use super::Order;
use crate::shared::{Money, PaymentId, RefundId};
use composable_rust::prelude::*;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What the gateway knows of one attempt.
#[derive(Debug, Clone, PartialEq, Data)]
pub struct Entry {
    /// Which attempt.
    pub payment: PaymentId,
    /// How much was asked for; nothing when it was stopped before it came.
    pub amount: Option<Money>,
    /// What became of it.
    pub fate: Fate,
    /// What was given back of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refunds: BTreeMap<RefundId, Money>,
}

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Data)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Charged from this moment on.
    Charged {
        /// The moment.
        at: Timestamp,
    },
    /// Declined.
    Declined,
    /// Stopped.
    Stopped,
}

/// All attempts, the newest line of each counts. Each change is on disk before it is answered.
#[derive(Debug, Default)]
pub struct Ledger {
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
struct Books {
    entries: BTreeMap<PaymentId, Entry>,
    file: Option<File>,
}

impl Ledger {
    /// Books that end with the process; for tests.
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// Books in a file of JSON lines, made where there is none. A last line that a crash cut off does not count.
    ///
    /// # Errors
    /// When the file cannot be read or made.
    pub fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let mut entries = BTreeMap::new();
        for line in BufReader::new(&file).split(b'\n') {
            if let Ok(entry) = serde_json::from_slice::<Entry>(&line?) {
                entries.insert(entry.payment, entry);
            }
        }
        Ok(Self { books: Mutex::new(Books { entries, file: Some(file) }) })
    }

    /// What is known of an attempt.
    pub fn entry(&self, payment: PaymentId) -> Option<Entry> {
        self.lock().entries.get(&payment).cloned()
    }

    /// Every attempt.
    pub fn entries(&self) -> Vec<Entry> {
        self.lock().entries.values().cloned().collect()
    }

    /// Changes what is known of an attempt; `change` sees it and answers what is to be written, if anything, and what
    /// the caller wants to know.
    ///
    /// # Errors
    /// When it cannot be written; nothing has changed then.
    pub fn change<T>(
        &self,
        payment: PaymentId,
        change: impl FnOnce(Option<&Entry>) -> (Option<Entry>, T),
    ) -> io::Result<T> {
        let mut books = self.lock();
        let (entry, answer) = change(books.entries.get(&payment));
        if let Some(entry) = entry {
            books.write(&entry)?;
            books.entries.insert(payment, entry);
        }
        Ok(answer)
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        // What is in the map was written before: a panic elsewhere leaves it whole.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn write(&mut self, entry: &Entry) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        // The break comes first: whatever a crash or a full disk has cut off before, this line stands alone.
        let mut line = vec![b'\n'];
        serde_json::to_writer(&mut line, entry)?;
        line.push(b'\n');
        file.write_all(&line)?;
        file.sync_data()
    }
}

impl Entry {
    /// A first entry.
    pub fn new(payment: PaymentId, order: Option<Order>, fate: Fate) -> Self {
        Self { payment, amount: order.map(|order| order.amount), fate, refunds: BTreeMap::new() }
    }

    /// What was charged and not given back, in minor units; nothing when it was not charged.
    pub fn kept(&self) -> i64 {
        match (self.fate, self.amount) {
            (Fate::Charged { .. }, Some(amount)) => {
                let given_back = self.refunds.values().map(|refund| refund.amount);
                given_back.fold(amount.amount, i64::saturating_sub)
            }
            (Fate::Charged { .. } | Fate::Declined | Fate::Stopped, _) => 0,
        }
    }
}
