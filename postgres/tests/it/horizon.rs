//! Readers beside writers that commit in any order: no event is skipped, streams keep their order, and nobody waits for
//! what has nothing to do with the log.
//!
//! The tests that expect a wrong rule to fail plant it in their own database, so that the others are known to see it.

use crate::support::{TestDatabase, append, close, environment, event, log, stream};
use composable_rust_core::port::{Append, EventStore, LogQuery, Storage, StreamAppend};
use composable_rust_core::{EventId, ExpectedVersion, Position, StreamVersion, later};
use jiff::Timestamp;
use sqlx::{Connection, PgConnection, Row};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long events are written. `PROVE_SECONDS` makes it longer.
fn writing() -> Duration {
    let seconds = std::env::var("PROVE_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or(3))
}

/// The rule of the plain sequence: whatever was drawn may be read.
const PLAIN_SEQUENCE: &str = "CREATE OR REPLACE FUNCTION log_horizon(OUT horizon bigint, OUT newest bigint, OUT held_by integer)
    LANGUAGE plpgsql AS $$ BEGIN SELECT last_value, last_value INTO horizon, newest FROM event_positions; END $$";

/// An append of one event to `key` in the open transaction of a connection; answers its position.
async fn append_by_hand(connection: &mut PgConnection, key: &str, before: i64) -> i64 {
    let text = "SELECT (append_events(0, ARRAY[$1], ARRAY[$2], ARRAY[$2 + 1], '{1}', ARRAY[$2 + 1], ARRAY[$3], '{test.Slow}',
        '{1}', '{\"\"}', '{\"\"}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')).positions";
    let row = sqlx::query(text)
        .bind(stream(key).as_str().to_owned())
        .bind(before)
        .bind(event("").id.as_uuid())
        .fetch_one(connection)
        .await
        .unwrap();
    row.get::<Vec<i64>, _>(0)[0]
}

/// Appends that stay open for a while and then commit or roll back.
async fn slow_appender(
    database: Arc<TestDatabase>,
    number: usize,
    running: Arc<AtomicUsize>,
    end: Timestamp,
) {
    let mut connection = database.connect().await;
    let (mut version, mut turn) = (0, number);
    while environment().now() < end {
        turn += 1;
        sqlx::raw_sql("BEGIN").execute(&mut connection).await.unwrap();
        append_by_hand(&mut connection, &format!("slow-{number}"), version).await;
        let open = format!("SELECT pg_sleep({})", ["0.001", "0.01", "0.05"][turn % 3]);
        sqlx::raw_sql(sqlx::AssertSqlSafe(open)).execute(&mut connection).await.unwrap();
        let commits = turn % 4 != 0;
        sqlx::raw_sql(if commits { "COMMIT" } else { "ROLLBACK" }).execute(&mut connection).await.unwrap();
        version += i64::from(commits);
    }
    running.fetch_sub(1, Ordering::SeqCst);
}

/// Batches over several streams, some of them shared, some refused.
async fn batch_appender(storage: Storage, number: usize, running: Arc<AtomicUsize>, end: Timestamp) {
    let part = |key: String, expected, count: usize| StreamAppend {
        stream: stream(&key),
        expected,
        events: (0..count).map(|n| event(n.to_string())).collect(),
    };
    let mut turn = 0;
    while environment().now() < end {
        turn += 1;
        let shared = part(format!("shared-{}", turn % 3), ExpectedVersion::Any, 1);
        let own = part(format!("own-{number}"), ExpectedVersion::Any, turn % 3 + 1);
        let wrong = ExpectedVersion::Exact(StreamVersion::from(99_999));
        let both = Append { streams: [shared, own].into_iter().collect(), ..Append::default() };
        let refused = Append::to(stream(&format!("own-{number}")), wrong, vec![event("")]);
        let batch = if turn % 5 == 0 { vec![both, refused] } else { vec![both] };
        storage.events.append_batch(batch).await.unwrap();
    }
    running.fetch_sub(1, Ordering::SeqCst);
}

/// Reads on as long as anybody writes, and then to the end.
async fn follow(events: Arc<dyn EventStore>, limit: usize, running: Arc<AtomicUsize>) -> Vec<EventId> {
    let (mut after, mut seen) = (Position::ZERO, Vec::new());
    loop {
        let finished = running.load(Ordering::SeqCst) == 0;
        let page = events.read_log(LogQuery::after(after, limit)).await.unwrap();
        assert!(page.events.is_sorted_by(|a, b| a.position < b.position));
        let full = page.events.len() == limit;
        after = page.read_to;
        seen.extend(page.events.iter().map(|event| event.id));
        if finished && !full {
            return seen;
        }
        tokio::task::yield_now().await;
    }
}

/// Lets two instances and some slow transactions write while followers read; answers how many events each follower
/// never saw, and how many there were.
async fn skipped(database: TestDatabase) -> (usize, usize) {
    let database = Arc::new(database);
    let instances = [database.open().await, database.open().await];
    let end = later(environment().now(), writing());
    let running = Arc::new(AtomicUsize::new(8));
    let (mut writers, mut followers) = (JoinSet::new(), JoinSet::new());
    for number in 0..4 {
        writers.spawn(slow_appender(Arc::clone(&database), number, Arc::clone(&running), end));
        writers.spawn(batch_appender(instances[number % 2].clone(), number, Arc::clone(&running), end));
    }
    for (number, limit) in [7, 1_000, 50, 100_000].into_iter().enumerate() {
        let events = Arc::clone(&instances[number % 2].events);
        followers.spawn(follow(events, limit, Arc::clone(&running)));
    }
    writers.join_all().await;
    let seen = followers.join_all().await;
    let whole = log(&instances[0]).await;
    let mut missed = 0;
    for seen in seen {
        let once: BTreeSet<_> = seen.iter().collect();
        assert_eq!(once.len(), seen.len(), "an event came twice");
        missed += whole.iter().filter(|event| !once.contains(&event.id)).count();
    }
    for storage in &instances {
        close(storage).await;
    }
    (missed, whole.len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_event_is_skipped_beside_slow_failing_and_concurrent_appends_of_two_instances() {
    let (missed, written) = skipped(TestDatabase::schema().await).await;
    assert!(written > 100, "{written} events prove little");
    assert_eq!(missed, 0, "of {written}");
}

/// The test above would notice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_plain_sequence_for_a_horizon_events_are_skipped() {
    let database = TestDatabase::schema().await;
    close(&database.open().await).await;
    database.tamper(PLAIN_SEQUENCE).await;
    let (missed, written) = skipped(database).await;
    assert!(missed > 0, "none of {written}");
}

/// A transaction that began first may append to a stream last.
#[tokio::test]
async fn positions_keep_the_order_of_a_stream_where_transaction_ids_do_not() {
    let database = TestDatabase::schema().await;
    let storage = database.open().await;
    database.tamper("ALTER TABLE events ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id()").await;
    let mut early = database.connect().await;
    sqlx::raw_sql("BEGIN; SELECT pg_current_xact_id()").execute(&mut early).await.unwrap();
    storage.events.append(append("a", 1)).await.unwrap();
    let last = append_by_hand(&mut early, "a", 1).await;
    sqlx::raw_sql("COMMIT").execute(&mut early).await.unwrap();
    storage.events.signal().reached(Position::from_i64(last)).await;

    let by_position: Vec<u64> = log(&storage).await.iter().map(|event| event.version.get()).collect();
    assert_eq!(by_position, [1, 2]);
    let by_transaction = sqlx::query("SELECT version FROM events ORDER BY xid, position");
    let by_transaction: Vec<i64> =
        by_transaction.fetch_all(&mut early).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(by_transaction, [2, 1], "the rule that is wrong");
    close(&storage).await;
}

#[tokio::test]
async fn a_long_transaction_that_has_nothing_to_do_with_the_log_holds_nobody_back() {
    let database = TestDatabase::schema().await;
    let storage = database.open().await;
    storage.events.append(append("a", 1)).await.unwrap();
    let mut long = database.connect().await;
    sqlx::raw_sql("CREATE TABLE theirs (x int)").execute(&mut long).await.unwrap();
    sqlx::raw_sql("BEGIN ISOLATION LEVEL SERIALIZABLE").execute(&mut long).await.unwrap();
    let statements =
        "INSERT INTO theirs VALUES (1); SELECT count(*) FROM events; SELECT pg_advisory_xact_lock(1, 1)";
    sqlx::raw_sql(statements).execute(&mut long).await.unwrap();
    let appended = storage.events.append(append("a", 1)).await.unwrap();
    assert_eq!(log(&storage).await.len(), 2);
    let signalled = storage.events.signal().reached(appended.position);
    timeout(Duration::from_secs(10), signalled).await.expect("the signal comes");
    long.close().await.unwrap();
    close(&storage).await;
}

/// From its floor on, and for no longer than it lasts, however it ends. The first append of all too.
#[tokio::test]
async fn an_open_append_holds_readers_back_until_it_ends_or_its_server_process_is_killed() {
    let database = TestDatabase::schema().await;
    let storage = database.open().await;
    let mut beside = database.connect().await;
    for (round, ending) in ["COMMIT", "ROLLBACK", "kill"].into_iter().enumerate() {
        let known = log(&storage).await.len();
        let mut open = database.connect().await;
        let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut open).await.unwrap();
        sqlx::raw_sql("BEGIN").execute(&mut open).await.unwrap();
        append_by_hand(&mut open, &format!("open-{round}"), 0).await;
        let after = storage.events.append(append("a", 1)).await.unwrap();
        let page = storage.events.read_log(LogQuery::after(Position::ZERO, 100)).await.unwrap();
        assert_eq!((page.events.len(), page.read_to < after.position), (known, true), "{ending}");
        let holder = sqlx::query("SELECT held_by FROM log_horizon()").fetch_one(&mut beside).await.unwrap();
        assert_eq!(holder.get::<Option<i32>, _>(0), Some(pid), "who is to blame is told");
        match ending {
            "kill" => {
                let kill = sqlx::query("SELECT pg_terminate_backend($1, 10000)").bind(pid);
                kill.execute(&mut beside).await.unwrap();
            }
            end => drop(sqlx::raw_sql(sqlx::AssertSqlSafe(end)).execute(&mut open).await.unwrap()),
        }
        let signalled = storage.events.signal().reached(after.position);
        timeout(Duration::from_secs(10), signalled).await.expect("readers go on by themselves");
        let found = known + 1 + usize::from(ending == "COMMIT");
        assert_eq!(log(&storage).await.len(), found, "{ending}");
    }
    close(&storage).await;
}

/// A look that began before a commit may not be taken for one that began after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_was_answered_finds_its_events_however_many_look_at_once() {
    let database = TestDatabase::schema().await;
    let storage = database.open().await;
    let mut tasks = JoinSet::new();
    for number in 0..8 {
        let events = Arc::clone(&storage.events);
        tasks.spawn(async move {
            for _ in 0..50 {
                let appended = events.append(append(&format!("{number}"), 1)).await.unwrap();
                let after = Position::ZERO.plus(appended.position.get() - 1);
                // Others that are still under way may hold this one back for a moment.
                let mut found = false;
                for _ in 0..1_000 {
                    let page = events.read_log(LogQuery::after(after, 1)).await.unwrap();
                    found = page.events.first().is_some_and(|event| event.position == appended.position);
                    if found {
                        break;
                    }
                    assert!(page.read_to <= after, "{} was passed over", appended.position);
                }
                assert!(found, "{} never came", appended.position);
            }
        });
    }
    tasks.join_all().await;
    close(&storage).await;
}
