//! Connections that break: an append whose end is unknown is found out by its command id, and the adapter goes on.

use crate::support::{TestDatabase, append, close, environment, log};
use composable_rust_core::CommandId;
use composable_rust_core::port::{AppendError, CommandKey, OpenStorage, Storage, StoreError};
use composable_rust_postgres::PostgresOptions;
use sqlx::{PgConnection, Row};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Ends the server processes of the adapters on this database, all or those that run a statement like `pattern`.
async fn terminate(connection: &mut PgConnection, pattern: &str) -> usize {
    let rows = sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'composable-rust' AND query LIKE $1",
    )
    .bind(pattern)
    .fetch_all(connection)
    .await
    .unwrap();
    rows.iter().filter(|row| row.get(0)).count()
}

/// Appends under one command until it is answered, as a caller does that got no answer.
async fn append_surely(storage: &Storage, id: CommandId, key: &str) -> u32 {
    let mut broken = 0;
    loop {
        let command = CommandKey { id, fingerprint: None, keep: None };
        match storage.events.append(append(key, 2).answering(command)).await {
            Ok(_) | Err(AppendError::Duplicate(_)) => return broken,
            Err(AppendError::Store(StoreError::Unavailable { .. })) => broken += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn appends_whose_server_processes_are_killed_happen_once_each_under_their_command_ids() {
    const COMMANDS: usize = 50;
    let database = TestDatabase::new().await;
    let storage = database.open().await;
    let mut beside = database.connect().await;
    let ended = Arc::new(AtomicBool::new(false));
    let mut appenders = JoinSet::new();
    for number in 0..4 {
        let storage = storage.clone();
        appenders.spawn(async move {
            let mut broken = 0;
            for n in 0..COMMANDS {
                let id = CommandId::derived(&["killed", &number.to_string(), &n.to_string()]);
                broken += append_surely(&storage, id, &format!("{number}-{n}")).await;
            }
            broken
        });
    }
    let stop = Arc::clone(&ended);
    let killing = JoinSet::from_iter([async move {
        let mut killed = 0;
        while !stop.load(Ordering::SeqCst) {
            killed += terminate(&mut beside, "%append_events%").await;
            sqlx::raw_sql("SELECT pg_sleep(0.1)").execute(&mut beside).await.unwrap();
        }
        killed
    }]);
    let broken: u32 = appenders.join_all().await.into_iter().sum();
    ended.store(true, Ordering::SeqCst);
    let killed = killing.join_all().await[0];
    assert!(killed > 0 && broken > 0, "{killed} processes and {broken} appends prove nothing");
    let mut events: BTreeMap<String, usize> = BTreeMap::new();
    for event in log(&storage).await {
        *events.entry(event.stream.key().to_owned()).or_default() += 1;
    }
    assert_eq!(events.len(), 4 * COMMANDS);
    assert!(events.values().all(|count| *count == 2), "{events:?}");
    close(&storage).await;
}

/// Other instances' appends wake readers here, also after the connection that hears them was lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn appends_of_another_instance_wake_readers_also_after_the_listening_connection_was_lost() {
    let database = TestDatabase::new().await;
    let lazy = PostgresOptions { poll_interval: Duration::from_hours(1), ..PostgresOptions::default() };
    let here = database.storage_with(lazy).open(&environment()).await.unwrap();
    let there = database.open().await;
    let mut beside = database.connect().await;
    for round in 0..3 {
        let appended = there.events.append(append("a", 1)).await.unwrap();
        let woken = timeout(Duration::from_secs(20), here.events.signal().reached(appended.position)).await;
        woken.unwrap_or_else(|_| panic!("nobody was woken in round {round}"));
        if round > 0 {
            terminate(&mut beside, "LISTEN%").await;
        }
    }
    close(&here).await;
    close(&there).await;
}

#[tokio::test]
async fn without_wake_ups_the_log_is_polled() {
    let database = TestDatabase::schema().await;
    let deaf = PostgresOptions { poll_interval: Duration::from_millis(50), ..PostgresOptions::default() };
    let here = database.storage_with(deaf).open(&environment()).await.unwrap();
    let mut other = database.connect().await;
    let text = "SELECT (append_events(0, '{test/a}', '{0}', '{1}', '{1}', '{1}', ARRAY[gen_random_uuid()], '{t}', '{1}', '{\"\"}',
        '{\"\"}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')).positions";
    sqlx::raw_sql(text).execute(&mut other).await.unwrap();
    let woken = here.events.signal().reached(composable_rust_core::Position::from(1));
    timeout(Duration::from_secs(20), woken).await.expect("the log is looked at from time to time");
    close(&here).await;
}

/// A call fails in time and says what is missing; the next one finds a connection.
#[tokio::test]
async fn when_all_connections_are_in_use_a_call_says_so_and_later_ones_work() {
    let database = TestDatabase::schema().await;
    let few = PostgresOptions {
        connections: 1,
        acquire_timeout: Duration::from_millis(200),
        ..PostgresOptions::default()
    };
    let storage = database.storage_with(few).open(&environment()).await.unwrap();
    let mut beside = database.connect().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE checkpoints").execute(&mut beside).await.unwrap();
    let waiting = storage.checkpoints.load_checkpoint("one");
    let refused = async {
        match storage.checkpoints.load_checkpoint("two").await {
            Err(StoreError::Unavailable { source, .. }) => source.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let unlocked = async {
        let text = refused.await;
        sqlx::raw_sql("ROLLBACK").execute(&mut beside).await.unwrap();
        text
    };
    let (first, text) = tokio::join!(waiting, unlocked);
    first.unwrap();
    assert!(text.contains("no connection became free") && text.contains("PostgresOptions"), "{text}");
    storage.checkpoints.load_checkpoint("two").await.unwrap();
    close(&storage).await;
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_broken_off() {
    let database = TestDatabase::schema().await;
    let short =
        PostgresOptions { statement_timeout: Some(Duration::from_millis(100)), ..PostgresOptions::default() };
    let storage = database.storage_with(short).open(&environment()).await.unwrap();
    let mut beside = database.connect().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE streams").execute(&mut beside).await.unwrap();
    let broken = storage.events.append(append("a", 1)).await;
    assert!(matches!(broken, Err(AppendError::Store(StoreError::Unavailable { .. }))), "{broken:?}");
    sqlx::raw_sql("ROLLBACK").execute(&mut beside).await.unwrap();
    storage.events.append(append("a", 1)).await.unwrap();
    close(&storage).await;
}
