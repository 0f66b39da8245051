//! **Checkpoint written before its rows**: a projection's progress is saved in one commit, its rows in the next.
//!
//! Planted in the read-model store, which commits both in one transaction. A crash between the two skips the batch for
//! ever: *projections equal a full rebuild* finds the rows that are missing.

use super::ports::{Committing, OnCommit};
use super::{Bug, is_found};
use crate::invariants::Promise;
use composable_rust::port::{Checkpoint, ReadModelStore, Storage, StoreError, ViewBatch};
use composable_rust::prelude::async_trait;
use std::sync::Arc;

#[derive(Debug)]
struct CheckpointFirst;

#[async_trait]
impl OnCommit for CheckpointFirst {
    async fn commit(&self, right: &dyn ReadModelStore, batch: ViewBatch) -> Result<(), StoreError> {
        right.commit(ViewBatch { changes: Vec::new(), ..batch.clone() }).await?;
        // Under a name that nobody uses twice, so that the rows are written whatever was saved before.
        let subscription = format!("{}:rows:{}", batch.checkpoint.subscription, batch.checkpoint.position);
        right.commit(ViewBatch { checkpoint: Checkpoint { subscription, ..batch.checkpoint }, ..batch }).await
    }
}

fn checkpoint_first(right: Storage) -> Storage {
    let views = Committing { right: Arc::clone(&right.views), hook: CheckpointFirst };
    Storage { views: Arc::new(views), ..right }
}

#[test]
fn simulation_finds_a_checkpoint_written_before_its_rows() {
    is_found(
        &Bug { storage: |right, _| checkpoint_first(right), from: 15, ..Bug::NONE },
        Promise::ViewsEqualARebuild,
    );
}
