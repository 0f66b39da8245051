//! Dropped futures: no open transaction, no half batch, no event that is committed but never announced.

use crate::support::{append, close, environment, fresh, log, open};
use composable_rust_core::port::Append;
use futures_util::future::poll_immediate;
use std::collections::BTreeMap;

/// A batch of several statements: many streams, many events.
fn batch(n: usize) -> Vec<Append> {
    let environment = environment();
    (0..90).map(|stream| append(&environment, &format!("{n}-{stream}"), 3)).collect()
}

/// Polls the append some times, so that it is dropped between any two of its statements.
async fn append_and_drop(storage: &composable_rust_core::port::Storage, n: usize) {
    let mut appending = Box::pin(storage.events.append_batch(batch(n)));
    for _ in 0..n * 3 {
        if poll_immediate(&mut appending).await.is_some() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_batch_is_there_whole_or_not_at_all_and_the_next_write_goes_on() {
    let (_folder, path) = fresh();
    let storage = open(&path).await;
    let environment = environment();
    for n in 0..60 {
        append_and_drop(&storage, n).await;
        let appended = storage.events.append(append(&environment, "steady", 1)).await.unwrap();
        assert_eq!(storage.events.signal().position(), appended.position);
    }
    let mut batches: BTreeMap<String, usize> = BTreeMap::new();
    let events = log(&storage).await;
    for (index, event) in events.iter().enumerate() {
        assert_eq!(event.position.get(), index as u64 + 1, "a hole");
        if let Some((batch, _)) = event.stream.key().split_once('-') {
            *batches.entry(batch.to_owned()).or_default() += 1;
        }
    }
    assert!(batches.values().all(|count| *count == 270), "{batches:?}");
    assert_eq!(storage.events.stream_version(&crate::support::stream("steady")).await.unwrap().get(), 60);
    close(&storage).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_batch_that_was_committed_is_announced_without_another_write() {
    let (_folder, path) = fresh();
    let storage = open(&path).await;
    for n in 0..60 {
        append_and_drop(&storage, n).await;
    }
    // Waits for its turn behind the recovery of the last one, and writes nothing.
    storage.events.append_batch(vec![Append::default()]).await.unwrap();
    let announced = storage.events.signal().position();
    close(&storage).await;
    let storage = open(&path).await;
    assert_eq!(storage.events.signal().position(), announced);
    close(&storage).await;
}
