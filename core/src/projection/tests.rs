//! Folding against rows loaded on demand equals a plain fold over a map, whatever the batches.

use super::{Fault, Folded, Projection, Row, RowBatch, Rows};
use crate::port::{IndexValue, RowChange, StoredRow};
use crate::{
    DecodeError, EventId, EventMetadata, EventSet, Keyed, Position, Recorded, RecordedEvent, SchemaVersion,
    StreamVersion,
};
use jiff::Timestamp;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Account {
    name: String,
    amount: i64,
}

impl Account {
    fn new(name: &str, amount: i64) -> Self {
        Self { name: name.to_owned(), amount }
    }
}

impl crate::Shaped for Account {}

impl Row for Account {
    type Key = String;

    fn text_of(key: String) -> String {
        key
    }
    fn key(&self) -> String {
        self.name.clone()
    }
    fn indexes() -> &'static [&'static str] {
        &["amount"]
    }
    fn index_values(&self) -> Vec<IndexValue> {
        vec![IndexValue::Integer(self.amount)]
    }
}

/// What may happen to accounts; each event uses one verb, `Move` a chain of two.
#[derive(Debug, Clone, PartialEq)]
enum Happened {
    Opened(String),
    Closed(String),
    Credited(String, i64),
    Counted(String),
    Moved { from: String, to: String },
}

impl Keyed for Happened {
    type Key = String;
}

impl EventSet for Happened {
    fn categories() -> Vec<&'static str> {
        vec!["account"]
    }
    fn event_types() -> Vec<(&'static str, SchemaVersion)> {
        Vec::new()
    }
    fn decode(event: &RecordedEvent) -> Result<Self, DecodeError> {
        Ok(Self::Opened(event.stream.key().to_owned()))
    }
    fn key(event: &RecordedEvent) -> Result<String, DecodeError> {
        Ok(event.stream.key().to_owned())
    }
}

struct Accounts;

impl Projection for Accounts {
    type Event = Happened;
    type Row = Account;
    const NAME: &'static str = "accounts";

    fn project(&self, event: &Recorded<Happened>, rows: &mut Rows<Account>) {
        match &event.body {
            Happened::Opened(name) => rows.put(Account::new(name, 0)),
            Happened::Closed(name) => rows.delete(name),
            Happened::Credited(name, amount) => rows.update(name, |row| row.amount += amount),
            Happened::Counted(name) => rows.upsert(name, || Account::new(name, 100), |row| row.amount += 1),
            Happened::Moved { from, to } => rows.with(from, |source, rows| {
                if let Some(source) = source {
                    rows.delete(from);
                    rows.with(to, |target, rows| match target {
                        Some(_) => rows.update(to, |row| row.amount += source.amount),
                        None => rows.put(Account::new(to, source.amount)),
                    });
                }
            }),
        }
    }
}

/// The same, over a map. Answers whether the event is at fault.
fn plainly(rows: &mut BTreeMap<String, Account>, event: &Happened) -> bool {
    match event {
        Happened::Opened(name) => drop(rows.insert(name.clone(), Account::new(name, 0))),
        Happened::Closed(name) => drop(rows.remove(name)),
        Happened::Credited(name, amount) => match rows.get_mut(name) {
            Some(row) => row.amount += amount,
            None => return true,
        },
        Happened::Counted(name) => {
            rows.entry(name.clone()).or_insert_with(|| Account::new(name, 100)).amount += 1;
        }
        Happened::Moved { from, to } => {
            if let Some(source) = rows.remove(from) {
                rows.entry(to.clone()).or_insert_with(|| Account::new(to, 0)).amount += source.amount;
            }
        }
    }
    false
}

fn recorded(body: Happened) -> Recorded<Happened> {
    Recorded {
        body,
        key: "any".to_owned(),
        position: Position::ZERO,
        version: StreamVersion::ZERO,
        id: EventId::from_uuid(Uuid::nil()),
        recorded_at: Timestamp::UNIX_EPOCH,
        metadata: EventMetadata::default().encode(),
    }
}

/// A read model store in a map.
#[derive(Debug, Default)]
struct Stored(BTreeMap<String, StoredRow>);

impl Stored {
    fn load(&self, keys: &[String]) -> Vec<StoredRow> {
        keys.iter().filter_map(|key| self.0.get(key).cloned()).collect()
    }

    fn write(&mut self, changes: Vec<RowChange>) {
        for change in changes {
            match change {
                RowChange::Put { key, body, .. } => drop(self.0.insert(key.clone(), StoredRow { key, body })),
                RowChange::Delete { key } => drop(self.0.remove(&key)),
            }
        }
    }

    fn rows(&self) -> BTreeMap<String, Account> {
        let row =
            |(key, row): (&String, &StoredRow)| (key.clone(), serde_json::from_slice(&row.body).unwrap());
        self.0.iter().map(row).collect()
    }
}

/// Folds a batch without the events at fault; answers how many those were.
fn handle(batch: &mut RowBatch<Account>, mut events: Vec<Recorded<Happened>>, store: &mut Stored) -> usize {
    let mut faults = 0;
    loop {
        match batch.fold(&Accounts, &events) {
            Folded::Complete => {
                store.write(batch.changes().unwrap());
                return faults;
            }
            Folded::Missing => batch.supply(store.load(&batch.missing())).unwrap(),
            Folded::Fault(place, _) => {
                events.remove(place);
                faults += 1;
            }
        }
    }
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c", "d"]).prop_map(str::to_owned)
}

fn happened() -> impl Strategy<Value = Happened> {
    prop_oneof![
        name().prop_map(Happened::Opened),
        name().prop_map(Happened::Closed),
        (name(), 1_i64..10).prop_map(|(name, amount)| Happened::Credited(name, amount)),
        name().prop_map(Happened::Counted),
        (name(), name()).prop_map(|(from, to)| Happened::Moved { from, to }),
    ]
}

proptest! {
    #[test]
    fn batches_with_loading_equal_a_plain_fold(
        events in prop::collection::vec(happened(), 0..60),
        size in 1_usize..20,
        keep in 0_usize..6,
        failing_commits in prop::collection::vec(any::<bool>(), 60),
    ) {
        let mut expected = BTreeMap::new();
        let expected_faults = events.iter().filter(|event| plainly(&mut expected, event)).count();
        let (mut store, mut batch, mut faults) = (Stored::default(), RowBatch::new(), 0);
        for (chunk, fails) in events.chunks(size).zip(failing_commits) {
            let chunk: Vec<_> = chunk.iter().cloned().map(recorded).collect();
            if fails {
                let mut lost = Stored(store.0.clone());
                handle(&mut batch, chunk.clone(), &mut lost);
                batch.forget();
            }
            faults += handle(&mut batch, chunk, &mut store);
            batch.settle(keep);
        }
        prop_assert_eq!(store.rows(), expected);
        prop_assert_eq!(faults, expected_faults);
    }

    #[test]
    fn the_fold_in_memory_equals_a_plain_fold(events in prop::collection::vec(happened(), 0..60)) {
        let mut expected = BTreeMap::new();
        let events: Vec<_> = events.into_iter().filter(|event| !plainly(&mut expected, event)).collect();
        let events: Vec<_> = events.into_iter().map(recorded).collect();
        let mut batch = RowBatch::in_memory();
        prop_assert_eq!(batch.fold(&Accounts, &events), Folded::Complete);
        prop_assert_eq!(batch.into_rows(), expected);
    }
}

fn fold(batch: &mut RowBatch<Account>, events: &[Happened]) -> Folded {
    batch.fold(&Accounts, &events.iter().cloned().map(recorded).collect::<Vec<_>>())
}

fn stored(name: &str, amount: i64) -> StoredRow {
    let body = serde_json::to_vec(&Account::new(name, amount)).unwrap();
    StoredRow { key: name.to_owned(), body: body.into() }
}

#[test]
fn a_cold_batch_takes_two_folds_and_one_load() {
    let mut batch = RowBatch::new();
    let events = [Happened::Credited("b".into(), 1), Happened::Credited("a".into(), 1)];
    assert_eq!(fold(&mut batch, &events), Folded::Missing);
    assert_eq!(batch.missing(), ["b", "a"]);
    batch.supply(vec![stored("a", 5), stored("b", 7)]).unwrap();
    assert_eq!(fold(&mut batch, &events), Folded::Complete);
    let shown = |change| match change {
        RowChange::Put { key, indexes, .. } => (key, indexes),
        RowChange::Delete { key } => (key, Vec::new()),
    };
    let keys: Vec<_> = batch.changes().unwrap().into_iter().map(shown).collect();
    assert_eq!(
        keys,
        [("a".to_owned(), vec![IndexValue::Integer(6)]), ("b".to_owned(), vec![IndexValue::Integer(8)])]
    );
    batch.settle(10);
    assert_eq!(fold(&mut batch, &events), Folded::Complete, "known rows are not loaded again");
}

#[test]
fn put_and_delete_need_no_row() {
    let mut batch = RowBatch::new();
    assert_eq!(
        fold(&mut batch, &[Happened::Opened("a".into()), Happened::Closed("b".into())]),
        Folded::Complete
    );
    assert_eq!(batch.changes().unwrap().len(), 2);
}

#[test]
fn a_put_row_is_not_taken_for_loaded_when_the_fold_runs_again() {
    let mut batch = RowBatch::new();
    let events =
        [Happened::Counted("b".into()), Happened::Credited("a".into(), 1), Happened::Opened("a".into())];
    assert_eq!(fold(&mut batch, &events), Folded::Missing);
    batch.supply(vec![stored("a", 5)]).unwrap();
    assert_eq!(fold(&mut batch, &events), Folded::Complete);
}

#[test]
fn a_missing_row_is_a_fault_of_its_event() {
    let mut batch = RowBatch::new();
    let events = [Happened::Opened("b".into()), Happened::Credited("a".into(), 1)];
    assert_eq!(fold(&mut batch, &events), Folded::Missing);
    batch.supply(Vec::new()).unwrap();
    assert_eq!(fold(&mut batch, &events), Folded::Fault(1, Fault::MissingRow { key: "a".into() }));
}

#[test]
fn a_row_that_becomes_what_it_was_is_not_written() {
    let mut batch = RowBatch::new();
    let events = [Happened::Credited("a".into(), 1), Happened::Credited("a".into(), -1)];
    assert_eq!(fold(&mut batch, &events), Folded::Missing);
    batch.supply(vec![stored("a", 5)]).unwrap();
    assert_eq!(fold(&mut batch, &events), Folded::Complete);
    assert_eq!(batch.changes(), Ok(Vec::new()));
}

#[test]
fn a_row_cannot_change_its_key() {
    struct Renames;
    impl Projection for Renames {
        type Event = Happened;
        type Row = Account;
        const NAME: &'static str = "renames";
        fn project(&self, _: &Recorded<Happened>, rows: &mut Rows<Account>) {
            rows.upsert("a", || Account::new("a", 0), |row| row.name = "b".to_owned());
        }
    }
    let mut batch = RowBatch::in_memory();
    assert_eq!(batch.fold(&Renames, &[recorded(Happened::Opened("x".into()))]), Folded::Complete);
    let fault = Fault::WrongKey { key: "a".into(), row_key: "b".into() };
    assert_eq!(batch.changes(), Err((0, fault)));
}

#[test]
fn a_stored_row_of_another_shape_is_an_error_that_names_it() {
    let mut batch = RowBatch::<Account>::new();
    assert_eq!(fold(&mut batch, &[Happened::Credited("a".into(), 1)]), Folded::Missing);
    let damaged = StoredRow { key: "a".into(), body: "[]".into() };
    assert_eq!(batch.supply(vec![damaged]).unwrap_err().key, "a");
}

#[test]
fn a_panic_is_a_fault_of_its_event_and_the_others_fold_again() {
    struct Fragile;
    impl Projection for Fragile {
        type Event = Happened;
        type Row = Account;
        const NAME: &'static str = "fragile";
        fn project(&self, event: &Recorded<Happened>, rows: &mut Rows<Account>) {
            let Happened::Opened(name) = &event.body else { panic!("not this one") };
            rows.put(Account::new(name, 0));
        }
    }
    let mut batch = RowBatch::in_memory();
    let events = [Happened::Opened("a".into()), Happened::Closed("a".into())].map(recorded);
    let fault = Fault::Panicked { text: "not this one".into() };
    assert_eq!(batch.fold(&Fragile, &events), Folded::Fault(1, fault));
    assert_eq!(batch.fold(&Fragile, &events[..1]), Folded::Complete);
    assert_eq!(batch.changes().unwrap().len(), 1);
}
