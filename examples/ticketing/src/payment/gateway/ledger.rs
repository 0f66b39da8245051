//! The books of the development gateway: they belong to another party, so they survive a crash of the application.

use super::Order;
use super::disk::Disk;
use crate::shared::{Money, PaymentId, RefundId};
use composable_rust::prelude::*;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
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
    /// The payer has been asked, and has not said yet.
    RequiresAction,
    /// Charged soon after this moment, whatever is asked until then.
    Late {
        /// The moment.
        until: Timestamp,
    },
    /// Declined.
    Declined,
    /// Stopped.
    Stopped,
}

/// All attempts, the newest line of each counts. Whoever answers for what is written here first waits for
/// [`Self::on_disk`].
#[derive(Debug, Default)]
pub struct Ledger {
    books: Mutex<Books>,
    disk: Option<Disk>,
}

#[derive(Debug, Default)]
struct Books {
    entries: BTreeMap<PaymentId, Entry>,
    file: Option<Lines>,
    /// Lines written since it was opened.
    lines: u64,
}

/// The file, one entry a line.
#[derive(Debug)]
struct Lines {
    file: File,
    /// How many bytes are whole lines; what a failed write has left behind comes after.
    whole: u64,
}

impl Ledger {
    /// Books that end with the process; for tests.
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// Books in a file of JSON lines, made where there is none. A last line that a crash cut off does not count.
    ///
    /// # Errors
    /// When the file cannot be read or made; [`io::ErrorKind::InvalidData`] with the line when it is damaged: whoever
    /// does not know what was charged would charge it again.
    pub fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let mut books = Books::default();
        let mut whole = 0;
        for (index, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
            match serde_json::from_slice::<Entry>(line) {
                Ok(entry) => drop(books.entries.insert(entry.payment, entry)),
                Err(_) if line.trim_ascii().is_empty() => {}
                Err(error) if error.is_eof() && !line.ends_with(b"\n") => break,
                Err(error) => return Err(damaged(index.saturating_add(1), &error)),
            }
            whole = u64::saturating_add(whole, line.len() as u64);
        }
        let disk = Some(Disk::of(file.try_clone()?)?);
        books.file = Some(Lines { file, whole });
        Ok(Self { books: Mutex::new(books), disk })
    }

    /// What is known of an attempt.
    pub fn entry(&self, payment: PaymentId) -> Option<Entry> {
        self.lock().entries.get(&payment).cloned()
    }

    /// Every attempt.
    pub fn entries(&self) -> Vec<Entry> {
        self.lock().entries.values().cloned().collect()
    }

    /// What `of` makes of the attempts from this one on, in the order of their ids; at most so many.
    pub fn from<T>(&self, from: PaymentId, of: impl Fn(&Entry) -> Option<T>, most: usize) -> Vec<T> {
        self.lock().entries.range(from..).filter_map(|(_, entry)| of(entry)).take(most).collect()
    }

    /// Changes what is known of an attempt; `change` sees it and answers what is to be written, if anything, and what
    /// the caller wants to know. Nobody may hear of it before [`Self::on_disk`] has completed.
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
            books.lines = books.lines.saturating_add(1);
            self.disk.as_ref().map_or(Ok(()), |disk| disk.wrote(books.lines))?;
            books.entries.insert(payment, entry);
        }
        Ok(answer)
    }

    /// Completes when all that was changed so far, by whomever, survives a crash.
    ///
    /// # Errors
    /// When it does not; what is written then is known when the books are opened again.
    ///
    /// # Cancel safety
    /// Dropping the future stops the waiting alone.
    pub async fn on_disk(&self) -> io::Result<()> {
        let Some(disk) = &self.disk else { return Ok(()) };
        let lines = self.lock().lines;
        disk.has(lines).await
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        // What is in the map was written before: a panic elsewhere leaves it whole.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn write(&mut self, entry: &Entry) -> io::Result<()> {
        let Some(Lines { file, whole }) = &mut self.file else { return Ok(()) };
        // What a crash or a full disk has cut off before goes, so that every line is whole.
        if file.metadata()?.len() != *whole {
            file.set_len(*whole)?;
        }
        // The break comes first: whoever edits the file may leave off the last one.
        let mut line = vec![b'\n'];
        serde_json::to_writer(&mut line, entry)?;
        line.push(b'\n');
        file.write_all(&line)?;
        *whole = whole.saturating_add(line.len() as u64);
        Ok(())
    }
}

fn damaged(line: usize, error: &serde_json::Error) -> io::Error {
    let text = format!(
        "line {line} is no entry ({error}): restore the file, or remove that line if you know that it charged nobody"
    );
    io::Error::new(io::ErrorKind::InvalidData, text)
}

impl Entry {
    /// A first entry.
    pub fn new(payment: PaymentId, order: Option<Order>, fate: Fate) -> Self {
        Self { payment, amount: order.map(|order| order.amount), fate, refunds: BTreeMap::new() }
    }

    /// What was given back in all; nothing where nothing was.
    pub fn refunded(&self) -> Option<Money> {
        let sum =
            |sum: Money, refund: &Money| Money::new(sum.amount.saturating_add(refund.amount), sum.currency);
        let mut refunds = self.refunds.values();
        refunds.next().map(|first| refunds.fold(*first, sum))
    }

    /// What was charged and not given back, in minor units; nothing when it was not charged.
    pub fn kept(&self) -> i64 {
        match (self.fate, self.amount) {
            (Fate::Charged { .. }, Some(amount)) => {
                let given_back = self.refunds.values().map(|refund| refund.amount);
                given_back.fold(amount.amount, i64::saturating_sub)
            }
            (
                Fate::Charged { .. }
                | Fate::RequiresAction
                | Fate::Late { .. }
                | Fate::Declined
                | Fate::Stopped,
                _,
            ) => 0,
        }
    }
}
