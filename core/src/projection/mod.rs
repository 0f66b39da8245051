//! Projections: from events to the rows of a read model, as a pure function.

mod row;
mod row_batch;
mod rows;
#[cfg(test)]
mod tests;

pub use row::{IndexColumn, Row};
pub use row_batch::{Folded, RowBatch, RowDecodeError};
pub use rows::{Fault, Rows};

use crate::{EventSet, Recorded};

/// A pure fold from events to rows.
pub trait Projection: Send + Sync + 'static {
    /// What it reads: one aggregate's events, or an enum over several.
    type Event: EventSet;
    /// What it writes.
    type Row: Row;
    /// The read model's name, unique in the application: `a-z 0-9 _`, at most 48 characters.
    const NAME: &'static str;
    /// Raise it when the fold or the row changes: the read model is then rebuilt beside the live one and switched. A row
    /// that changed without is noticed at the start ([`Shape`](crate::Shape)); a fold is not.
    const VERSION: u32 = 1;

    /// Changes rows by one event. It may run more than once for an event, with the same outcome.
    fn project(&self, event: &Recorded<Self::Event>, rows: &mut Rows<Self::Row>);
}
