//! A projection without a store: folding the log in memory, and comparing the stored rows with that.

use super::Shared;
use crate::{View, subscription_name};
use composable_rust_core::port::{LogQuery, Order, PageRequest, Query, StoreError, StoredRow};
use composable_rust_core::{
    DecodeError, EventSet, Fault, Folded, Position, Projection, Recorded, Row, RowBatch,
};
use std::collections::BTreeMap;

/// Why a fold in memory failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FoldError {
    /// An event is at fault. Mend the projection.
    #[error("the event at position {position} is at fault")]
    Fault {
        /// Which event.
        position: Position,
        /// What is wrong.
        #[source]
        fault: Fault,
    },
    /// An event cannot be decoded. Mend the event set.
    #[error("the event at position {position} cannot be decoded")]
    Decode {
        /// Which event.
        position: Position,
        /// The cause.
        #[source]
        source: DecodeError,
    },
    /// The store failed. Try again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The rows that `projection` makes of `events`, by key; for tests and checks.
///
/// # Errors
/// [`FoldError::Fault`] for the first event that asks for something that cannot be.
pub fn fold_in_memory<P: Projection>(
    projection: &P,
    events: &[Recorded<P::Event>],
) -> Result<BTreeMap<String, P::Row>, FoldError> {
    let mut batch = RowBatch::in_memory();
    fold_on(projection, &mut batch, events)?;
    Ok(batch.into_rows())
}

/// A row that differs from what the log says.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference<R> {
    /// Its key.
    pub key: String,
    /// What is stored.
    pub stored: Option<R>,
    /// What a fresh fold of the log makes of it.
    pub expected: Option<R>,
}

/// Rows of the live generation that differ from a fresh fold of the log, up to where the rows are; empty is right.
///
/// It reads everything and holds all rows in memory twice: for tests and for a check by hand. Rows of parked streams
/// differ for as long as their events are parked.
///
/// # Errors
/// [`FoldError`] when an event is at fault or the store failed.
///
/// # Cancel safety
/// It only reads.
pub async fn verify<P: Projection>(
    projection: &P,
    view: &View<P>,
) -> Result<Vec<Difference<P::Row>>, FoldError> {
    let shared = view.shared();
    let Some(live) = shared.live().await? else { return Ok(Vec::new()) };
    let (stored, position) = read_all::<P::Row>(shared, live.generation).await?;
    let mut expected = fold_log(projection, shared, position).await?;
    let mut differences = Vec::new();
    for (key, row) in stored {
        let fresh = expected.remove(&key);
        if fresh.as_ref() != Some(&row) {
            differences.push(Difference { key, stored: Some(row), expected: fresh });
        }
    }
    let missing = expected.into_iter();
    differences.extend(missing.map(|(key, row)| Difference { key, stored: None, expected: Some(row) }));
    Ok(differences)
}

fn fold_on<P: Projection>(
    projection: &P,
    batch: &mut RowBatch<P::Row>,
    events: &[Recorded<P::Event>],
) -> Result<(), FoldError> {
    let at = |place: usize| events.get(place).map_or(Position::ZERO, |event| event.position);
    if let Folded::Fault(place, fault) = batch.fold(projection, events) {
        return Err(FoldError::Fault { position: at(place), fault });
    }
    batch.changes().map_err(|(place, fault)| FoldError::Fault { position: at(place), fault })?;
    batch.settle(usize::MAX);
    Ok(())
}

/// Folds the log up to `end`, page by page.
async fn fold_log<P: Projection>(
    projection: &P,
    shared: &Shared,
    end: Position,
) -> Result<BTreeMap<String, P::Row>, FoldError> {
    let categories: Vec<String> = P::Event::categories().into_iter().map(str::to_owned).collect();
    let mut batch = RowBatch::in_memory();
    let mut after = Position::ZERO;
    while after < end {
        let limit = shared.options.subscription.batch_size;
        let query = LogQuery::after(after, limit).of(Some(&categories));
        let page = shared.deps.storage.events.read_log(query).await?;
        let mut events = Vec::with_capacity(page.events.len());
        for event in page.events.iter().filter(|event| event.position <= end) {
            let position = event.position;
            events.push(P::Event::recorded(event).map_err(|source| FoldError::Decode { position, source })?);
        }
        fold_on(projection, &mut batch, &events)?;
        if page.read_to <= after {
            break;
        }
        after = page.read_to;
    }
    Ok(batch.into_rows())
}

/// All rows of a generation as of one position: read again when it moved meanwhile.
async fn read_all<R: Row>(
    shared: &Shared,
    generation: u32,
) -> Result<(BTreeMap<String, R>, Position), FoldError> {
    const SIZE: u32 = 1000;
    let (model, subscription) = (shared.model(generation), subscription_name(shared.name, generation));
    let order = Order { column: None, descending: false };
    let mut query = Query { filters: Vec::new(), order, page: PageRequest::first(SIZE) };
    let mut rows = BTreeMap::new();
    let mut at = None;
    loop {
        let (page, position) = shared.deps.storage.views.query(&model, &subscription, &query).await?;
        if at.is_some_and(|at| at != position) {
            rows.clear();
            at = None;
            query.page.page = 1;
            continue;
        }
        at = Some(position);
        let found = page.items.len();
        for StoredRow { key, body } in page.items {
            let row = serde_json::from_slice(&body)
                .map_err(|error| StoreError::Corrupt(format!("row {key:?}: {error}")))?;
            rows.insert(key, row);
        }
        if found < SIZE as usize {
            return Ok((rows, position));
        }
        query.page.page += 1;
    }
}
