//! **Event skipped at restart**: a projection saves the position of the event that comes next, and goes on after it.
//!
//! Planted in the read-model store. While the program lives nothing is wrong, since it knows where it is; the first event
//! after a start is never shown: *projections equal a full rebuild* finds that.

use super::ports::{Committing, OnCommit};
use super::{Bug, is_found};
use crate::invariants::Promise;
use composable_rust::port::{ReadModelStore, Storage, StoreError, ViewBatch};
use composable_rust::prelude::async_trait;
use std::sync::Arc;

#[derive(Debug)]
struct OneTooFar;

#[async_trait]
impl OnCommit for OneTooFar {
    async fn commit(&self, right: &dyn ReadModelStore, mut batch: ViewBatch) -> Result<(), StoreError> {
        if !batch.changes.is_empty() {
            batch.checkpoint.position = batch.checkpoint.position.next();
        }
        right.commit(batch).await
    }
}

fn save_one_too_far(right: Storage) -> Storage {
    let views = Committing { right: Arc::clone(&right.views), hook: OneTooFar };
    Storage { views: Arc::new(views), ..right }
}

#[test]
fn simulation_finds_an_event_skipped_at_restart() {
    is_found(&Bug { storage: |right, _| save_one_too_far(right), ..Bug::NONE }, Promise::ViewsEqualARebuild);
}
