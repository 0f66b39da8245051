//! A small domain: tallies that are added to, and projections of them.

use composable_rust_core::port::IndexValue;
use composable_rust_core::{
    DecodeError, EventPlace, EventSet, Keyed, Projection, Recorded, RecordedEvent, Row, Rows, SchemaVersion,
    decode_payload,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What happens to a tally.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Tally {
    Added(i64),
    /// Cannot be projected until somebody mends the projection.
    Jammed,
}

impl Keyed for Tally {
    type Key = String;
}

impl EventSet for Tally {
    fn categories() -> Vec<&'static str> {
        vec!["tally"]
    }

    fn event_types() -> Vec<(&'static str, SchemaVersion)> {
        vec![("tally.Event", SchemaVersion::FIRST)]
    }

    fn decode(event: &RecordedEvent) -> Result<Self, DecodeError> {
        if event.event_type != "tally.Event" {
            let event_type = event.event_type.to_string();
            return Err(DecodeError::UnknownType { event_type, place: EventPlace::of(event) });
        }
        decode_payload(&event.event_type, event.schema_version, &[], &event.payload)
    }

    fn key(event: &RecordedEvent) -> Result<String, DecodeError> {
        Ok(event.stream.key().to_owned())
    }
}

/// What a tally came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Total {
    pub(crate) name: String,
    pub(crate) sum: i64,
    pub(crate) events: u32,
}

impl composable_rust_core::Shaped for Total {}

impl Row for Total {
    type Key = String;

    fn text_of(key: String) -> String {
        key
    }

    fn key(&self) -> String {
        self.name.clone()
    }

    fn indexes() -> &'static [&'static str] {
        &["sum"]
    }

    fn index_values(&self) -> Vec<IndexValue> {
        vec![IndexValue::Integer(self.sum)]
    }
}

/// Sums each tally, and all of them in the row `all`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Totals {
    pub(crate) mended: Arc<AtomicBool>,
}

impl Totals {
    pub(crate) fn mend(&self) {
        self.mended.store(true, Ordering::SeqCst);
    }
}

fn add(rows: &mut Rows<Total>, name: &str, amount: i64) {
    let new = || Total { name: name.to_owned(), sum: 0, events: 0 };
    rows.upsert(name, new, |row| {
        row.sum += amount;
        row.events += 1;
    });
}

impl Projection for Totals {
    type Event = Tally;
    type Row = Total;
    const NAME: &'static str = "totals";

    fn project(&self, event: &Recorded<Tally>, rows: &mut Rows<Total>) {
        match event.body {
            Tally::Added(amount) => {
                add(rows, event.key(), amount);
                add(rows, "all", amount);
            }
            Tally::Jammed if self.mended.load(Ordering::SeqCst) => {}
            Tally::Jammed => rows.update("a row that never was", |_| {}),
        }
    }
}

/// The next version of [`Totals`]: everything counts double.
#[derive(Debug, Clone, Default)]
pub(crate) struct DoubleTotals;

impl Projection for DoubleTotals {
    type Event = Tally;
    type Row = Total;
    const NAME: &'static str = "totals";
    const VERSION: u32 = 2;

    fn project(&self, event: &Recorded<Tally>, rows: &mut Rows<Total>) {
        match event.body {
            Tally::Added(amount) => {
                add(rows, event.key(), 2 * amount);
                add(rows, "all", 2 * amount);
            }
            Tally::Jammed => {}
        }
    }
}
