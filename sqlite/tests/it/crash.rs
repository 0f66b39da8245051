//! A process that is killed: what it was told is durable is there, nothing is there by halves, and its lock is gone.

use crate::support::{append, close, environment, log, open, stream};
use composable_rust_core::ExpectedVersion;
use composable_rust_core::port::{Append, OpenStorage, StoreError, StreamAppend};
use composable_rust_sqlite::Sqlite;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Tells the child which file to write.
const VARIABLE: &str = "CRASH_TEST_DATABASE";
/// Appends to see acknowledged before the child is killed.
const ACKNOWLEDGED: usize = 150;

/// Two streams in one append, three events each.
fn pair(n: usize) -> Append {
    let environment = environment();
    let part = |key: &str| StreamAppend {
        stream: stream(key),
        expected: ExpectedVersion::Any,
        events: append(&environment, key, 3).streams.remove(0).events,
    };
    Append {
        streams: [part(&format!("left-{}", n % 7)), part("right")].into_iter().collect(),
        ..Append::default()
    }
}

/// Not a test of its own: the process that the test below kills. Without its variable it has nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_that_appends_until_it_is_killed() {
    let Ok(path) = std::env::var(VARIABLE) else { return };
    let storage = open(path).await;
    for n in 0.. {
        let batch = (0..4).map(|part| pair(n * 4 + part)).collect();
        for result in storage.events.append_batch(batch).await.unwrap() {
            writeln!(std::io::stderr(), "acknowledged {}", result.unwrap().position).unwrap();
        }
    }
}

fn start_child(path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child_that_appends_until_it_is_killed", "--nocapture"])
        .env(VARIABLE, path)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn after_kill_9_every_acknowledged_append_is_there_whole_and_the_file_opens() {
    let (_folder, path) = crate::support::fresh();
    let mut before = 0;
    for _ in 0..3 {
        let mut child = start_child(&path);
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut acknowledged: Vec<u64> = lines
            .by_ref()
            .filter_map(|line| line.strip_prefix("acknowledged ").map(|position| position.parse().unwrap()))
            .take(ACKNOWLEDGED)
            .collect();
        assert_eq!(acknowledged.len(), ACKNOWLEDGED, "the child died early");
        let refused = Sqlite::file(&path).open(&environment()).await.unwrap_err();
        let named = format!("process {}", child.id());
        assert!(matches!(&refused, StoreError::Setup(text) if text.contains(&named)), "{refused}");
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged.extend(lines.filter_map(|line| line.strip_prefix("acknowledged ")?.parse::<u64>().ok()));

        let storage = open(&path).await;
        let events = log(&storage).await;
        let newest = events.last().unwrap().position.get();
        assert!(newest >= *acknowledged.iter().max().unwrap(), "an acknowledged append is lost");
        assert_eq!(events.len() as u64, newest, "the log has a hole");
        assert_eq!(newest % 24, 0, "half a batch is there");
        assert!(newest > before);
        let mut versions: BTreeMap<_, u64> = BTreeMap::new();
        for event in &events {
            let version = versions.entry(event.stream.clone()).or_default();
            *version += 1;
            assert_eq!(event.version.get(), *version);
        }
        for (stream, version) in versions {
            assert_eq!(storage.events.stream_version(&stream).await.unwrap().get(), version);
        }
        before = newest;
        close(&storage).await;
    }
}
