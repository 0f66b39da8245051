//! Specifications of projections.

use super::failure::{differ, fail, same};
use super::wire::check_value;
use super::{record, time_of};
use composable_rust_core::port::{RowChange, StoredRow};
use composable_rust_core::{Fault, Folded, IntoKey, Keyed, Projection, Recorded, Row, RowBatch};
use std::collections::BTreeMap;
use std::fmt::Debug;

/// What a projection made of some events; nothing is checked before one of its `then…`.
#[derive(Debug, Clone)]
#[must_use = "say what it leads to: `.then_rows(…)`, `.then_row(…)`, `.then_no_rows()` or `.then_fault(…)`"]
pub struct Projected<R: Row> {
    outcome: Result<BTreeMap<String, R>, (usize, Fault)>,
    story: String,
}

/// What the rows are; more may be said about each.
#[derive(Debug, Clone)]
pub struct ThenRows<R: Row> {
    rows: BTreeMap<String, R>,
    story: String,
}

/// Folds events, each with the key of its stream (of several aggregates' events the whole `StreamId`), one second after
/// the other from [`START`](super::START).
///
/// # Panics
/// When the rows differ between one batch in memory and one stored batch for each event, or do not survive their
/// encoding.
#[track_caller]
#[expect(
    clippy::needless_pass_by_value,
    reason = "a projection is written as a value: `project(AvailabilityView, …)`"
)]
pub fn project<P: Projection>(
    projection: P,
    events: impl IntoIterator<Item = (impl IntoKey<<P::Event as Keyed>::Key>, impl Into<P::Event>)>,
) -> Projected<P::Row>
where
    P::Event: Debug,
{
    let events: Vec<_> = (1..)
        .zip(events)
        .map(|(number, (key, event))| record(event.into(), key.into_key(), number, time_of(number)))
        .collect();
    let story = story(&events);
    let at_once = fold_at_once(&projection, &events);
    let one_by_one = fold_one_by_one(&projection, &events, &story);
    // Where both are at fault, the first fault in the order of events is the one that a store would see.
    if at_once != one_by_one && (at_once.is_ok() || one_by_one.is_ok()) {
        let (expected, actual) = (format!("{at_once:#?}"), format!("{one_by_one:#?}"));
        let what = "the rows depend on how events are batched: fold from the event and the row alone \
                    (- one batch, + a batch for each event)";
        differ(what, &expected, &actual, &story);
    }
    if let Ok(rows) = &one_by_one {
        for row in rows.values() {
            check_value("a row", row);
        }
    }
    Projected { outcome: one_by_one, story }
}

impl<R: Row> Projected<R> {
    /// These rows exist afterwards, and no others; their order does not matter.
    ///
    /// # Panics
    /// When others do.
    #[track_caller]
    pub fn then_rows(self, rows: impl IntoIterator<Item = R>) -> ThenRows<R> {
        let expected: BTreeMap<_, _> = rows.into_iter().map(|row| (row.key(), row)).collect();
        let (rows, story) = self.folded();
        same("the rows are others", &expected, &rows, &story);
        ThenRows { rows, story }
    }

    /// No row exists afterwards.
    ///
    /// # Panics
    /// When one does.
    #[track_caller]
    pub fn then_no_rows(self) {
        self.then_rows([]);
    }

    /// Looks at one row, whatever the others are.
    ///
    /// # Panics
    /// When there is none with this key.
    #[track_caller]
    pub fn then_row(self, key: impl IntoKey<R::Key>, look: impl FnOnce(&R)) -> ThenRows<R> {
        let (rows, story) = self.folded();
        let then = ThenRows { rows, story };
        then.then_row(key, look);
        then
    }

    /// The event at this place, from 0, asks for something that cannot be.
    ///
    /// # Panics
    /// When all events are folded, or another one is at fault.
    #[track_caller]
    pub fn then_fault(self, place: usize, fault: Fault) {
        same("the outcome is another", &Err((place, fault)), &self.outcome, &self.story);
    }

    #[track_caller]
    fn folded(self) -> (BTreeMap<String, R>, String) {
        match self.outcome {
            Ok(rows) => (rows, self.story),
            Err((place, fault)) => {
                fail(&format!("the event at place {place} is at fault: {fault}\n\n{}", self.story))
            }
        }
    }
}

impl<R: Row> ThenRows<R> {
    /// Looks at one row.
    ///
    /// # Panics
    /// When there is none with this key.
    #[track_caller]
    pub fn then_row(&self, key: impl IntoKey<R::Key>, look: impl FnOnce(&R)) -> &Self {
        let key = R::text_of(key.into_key());
        match self.rows.get(&key) {
            Some(row) => look(row),
            None => fail(&format!("no row {key}; there are {:?}\n\n{}", self.rows.keys(), self.story)),
        }
        self
    }
}

/// Rows by key, or the place of the event at fault.
type Outcome<R> = Result<BTreeMap<String, R>, (usize, Fault)>;

fn fold_at_once<P: Projection>(projection: &P, events: &[Recorded<P::Event>]) -> Outcome<P::Row> {
    let mut batch = RowBatch::in_memory();
    match batch.fold(projection, events) {
        Folded::Complete => batch.changes().map(|_| batch.into_rows()),
        Folded::Fault(place, fault) => Err((place, fault)),
        // A batch in memory lacks nothing.
        Folded::Missing => Ok(BTreeMap::new()),
    }
}

/// A batch for each event, with the rows stored in between.
#[track_caller]
fn fold_one_by_one<P: Projection>(
    projection: &P,
    events: &[Recorded<P::Event>],
    story: &str,
) -> Outcome<P::Row> {
    let mut stored = BTreeMap::new();
    for (place, event) in events.iter().enumerate() {
        for change in changes_of(projection, event, &stored, story).map_err(|fault| (place, fault))? {
            match change {
                RowChange::Put { key, body, .. } => drop(stored.insert(key, body)),
                RowChange::Delete { key } => drop(stored.remove(&key)),
            }
        }
    }
    let rows = stored.into_iter().map(|(key, body)| match serde_json::from_slice(&body) {
        Ok(row) => (key, row),
        Err(error) => fail(&format!("row {key} cannot be read back: {error}\n\n{story}")),
    });
    Ok(rows.collect())
}

#[track_caller]
fn changes_of<P: Projection>(
    projection: &P,
    event: &Recorded<P::Event>,
    stored: &BTreeMap<String, bytes::Bytes>,
    story: &str,
) -> Result<Vec<RowChange>, Fault> {
    let mut batch = RowBatch::new();
    loop {
        match batch.fold(projection, std::slice::from_ref(event)) {
            Folded::Complete => return batch.changes().map_err(|(_, fault)| fault),
            Folded::Fault(_, fault) => return Err(fault),
            Folded::Missing => {}
        }
        let find = |key: String| stored.get(&key).map(|body| StoredRow { body: body.clone(), key });
        let found = batch.missing().into_iter().filter_map(find).collect();
        if let Err(error) = batch.supply(found) {
            fail(&format!("{error}: {}\n\n{story}", error.source));
        }
    }
}

fn story<B: Keyed + Debug>(events: &[Recorded<B>]) -> String {
    let lines: Vec<_> = events.iter().map(|event| format!("  {:?}: {:?}\n", event.key, event.body)).collect();
    format!("events:\n{}", lines.concat())
}
