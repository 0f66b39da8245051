//! **Counted apart**: a customer's places are counted in an append of their own, after the one that holds them.
//!
//! Planted in the event store. A crash or a failure of the storage between the two leaves places that nobody counts:
//! *a customer's limit counts what the customer has* finds them.

use super::ports::{AllAppended, Appending, OnAppend};
use super::{Bug, is_found};
use crate::invariants::Promise;
use composable_rust::ExpectedVersion;
use composable_rust::port::{Append, EventStore, Storage};
use composable_rust::prelude::async_trait;
use std::sync::Arc;

#[derive(Debug)]
struct CountsAfterwards;

#[async_trait]
impl OnAppend for CountsAfterwards {
    async fn append_batch(&self, right: &dyn EventStore, mut batch: Vec<Append>) -> AllAppended {
        let counts: Vec<_> = batch.iter_mut().map(take_count).collect();
        let results = right.append_batch(batch).await?;
        for (result, count) in results.iter().zip(counts) {
            if let (Ok(_), Some(count)) = (result, count) {
                // Whatever comes of it: the places are held.
                drop(right.append(count).await);
            }
        }
        Ok(results)
    }
}

/// What counts, where it comes with something else; only its version is still checked there.
fn take_count(append: &mut Append) -> Option<Append> {
    let is_with_others = append.streams.len() > 1;
    let part = append.streams.iter_mut().find(|part| part.stream.category() == "quota")?;
    is_with_others
        .then(|| Append::to(part.stream.clone(), ExpectedVersion::Any, std::mem::take(&mut part.events)))
}

fn count_afterwards(right: Storage) -> Storage {
    let events = Appending { right: Arc::clone(&right.events), hook: CountsAfterwards };
    Storage { events: Arc::new(events), ..right }
}

#[test]
fn simulation_finds_places_that_are_counted_apart() {
    let bug = Bug { storage: |right, _| count_afterwards(right), from: 30, ..Bug::NONE };
    is_found(&bug, Promise::LimitsCountWhatIsHad);
}
