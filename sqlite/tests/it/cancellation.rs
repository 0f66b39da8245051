//! Dropped futures: no open transaction, no half batch, no event that is committed but never announced.

use crate::support::{append, close, environment, fresh, log, open, stream};
use composable_rust_core::port::{Append, OpenStorage, Storage};
use composable_rust_core::{Environment, Spawner, StreamVersion};
use composable_rust_sqlite::Sqlite;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, TryStreamExt};
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use tokio::task::JoinSet;

/// How many batches finish before the test ends: by then, every place at which one can be dropped was tried, however
/// many there are on this machine.
const FINISHED: usize = 5;

/// A batch of several statements: many streams, many events, and one to a stream that exists.
fn batch(n: usize) -> Vec<Append> {
    let environment = environment();
    let new = (0..90).map(|stream| append(&environment, &format!("{n}-{stream}"), 3));
    new.chain([append(&environment, "steady", 1)]).collect()
}

/// Appends a batch and drops it when it has been woken `wakes` times: whatever woke it is never looked at. Answers
/// whether it had finished.
async fn append_and_drop(storage: &Storage, wakes: usize) -> bool {
    let mut appending = storage.events.append_batch(batch(wakes));
    let mut left = wakes;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        appending.as_mut().poll(context).map(|results| results.unwrap().iter().all(Result::is_ok))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_batch_is_there_whole_or_not_at_all_and_the_next_write_goes_on() {
    let (_folder, path) = fresh();
    let storage = open(&path).await;
    let environment = environment();
    let (mut finished, mut wakes) = (0, 0);
    while finished < FINISHED {
        finished += usize::from(append_and_drop(&storage, wakes).await);
        wakes += 1;
        // The stream that the dropped batch may have written as well: its version is looked up again.
        let appended = storage.events.append(append(&environment, "steady", 1)).await.unwrap();
        assert_eq!(storage.events.signal().position(), appended.position);
    }
    let mut batches: BTreeMap<String, usize> = BTreeMap::new();
    for (index, event) in log(&storage).await.iter().enumerate() {
        assert_eq!(event.position.get(), index as u64 + 1, "a hole");
        if let Some((batch, _)) = event.stream.key().split_once('-') {
            *batches.entry(batch.to_owned()).or_default() += 1;
        }
    }
    assert!(batches.len() >= finished, "a finished batch is lost");
    assert!(batches.values().all(|count| *count == 270), "{batches:?}");
    let version = storage.events.stream_version(&stream("steady")).await.unwrap();
    assert_eq!(version.get(), (wakes + batches.len()) as u64);
    close(&storage).await;
}

/// Keeps what it spawned, so that a test can wait for it.
#[derive(Debug, Default)]
struct KeptTasks {
    running: Mutex<JoinSet<()>>,
}

impl Spawner for KeptTasks {
    fn spawn(&self, _: &'static str, task: BoxFuture<'static, ()>) {
        self.running.lock().unwrap().spawn(task);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_batch_is_rolled_back_or_announced_without_another_write() {
    let (_folder, path) = fresh();
    let tasks = Arc::new(KeptTasks::default());
    let spawner: Arc<dyn Spawner> = Arc::clone(&tasks) as _;
    let environment = Environment { spawner, ..environment() };
    let storage = Sqlite::file(&path).open(&environment).await.unwrap();
    let mut beside = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    let (mut recovered, mut finished, mut wakes) = (0, 0, 0);
    while finished < FINISHED {
        finished += usize::from(append_and_drop(&storage, wakes).await);
        wakes += 1;
        let running = std::mem::take(&mut *tasks.running.lock().unwrap());
        recovered += running.join_all().await.len();
        let newest: i64 = sqlx::query_scalar("SELECT coalesce(max(position), 0) FROM events")
            .fetch_one(&mut beside)
            .await
            .unwrap();
        assert_eq!(storage.events.signal().position().as_i64(), newest, "dropped after {wakes} wakes");
        // Other software could not write if a transaction were open.
        sqlx::raw_sql("PRAGMA busy_timeout = 0; BEGIN IMMEDIATE; ROLLBACK")
            .execute(&mut beside)
            .await
            .unwrap();
    }
    assert!(recovered > 0, "a batch that was woken once had begun");
    close(&storage).await;
}

#[tokio::test]
async fn closing_waits_for_a_half_read_stream_and_may_be_given_up_and_done_again() {
    let (_folder, path) = fresh();
    let storage = open(&path).await;
    storage.events.append(append(&environment(), "long", 3_000)).await.unwrap();
    let long = stream("long");
    let mut events = storage.events.load_events(&long, StreamVersion::ZERO);
    assert!(events.try_next().await.unwrap().is_some());

    assert!(close(&storage).now_or_never().is_none(), "the stream has a connection");
    drop(events);
    close(&storage).await;
    assert!(storage.events.stream_version(&long).await.is_err(), "it is closed");
    close(&open(&path).await).await;
}
