//! What the tests share: a database for each, a way into it beside the adapter, sample appends.

use composable_rust_core::port::{Append, LogQuery, OpenStorage, Storage};
use composable_rust_core::{
    Clock, Environment, EventId, EventMetadata, ExpectedVersion, NewEvent, Position, RecordedEvent,
    SchemaVersion, SeededRandom, SequentialIds, StreamId,
};
use composable_rust_postgres::{Postgres, PostgresOptions};
use composable_rust_testing::live_environment;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// Names the server: the database in it is used only to make others.
const VARIABLE: &str = "TEST_DATABASE_URL";

/// The database in which tests have a schema each, where that is enough: making a database takes the better part of a
/// second.
const SHARED: &str = "composable_rust_tests";

/// A database, or a schema in one, that is removed in the end.
#[derive(Debug)]
pub(crate) struct TestDatabase {
    options: PgConnectOptions,
    schema: Option<String>,
    removal: String,
}

/// The server to test on.
pub(crate) fn server() -> PgConnectOptions {
    let url = std::env::var(VARIABLE).unwrap_or_default();
    PgConnectOptions::from_str(&url).ok().filter(|_| url.starts_with("postgres")).unwrap_or_else(|| {
        panic!(
            "{VARIABLE} names no PostgreSQL server: run `cargo xtask services up` and set what it prints, or run the \
             tests with `cargo xtask test`"
        )
    })
}

fn fresh_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

impl TestDatabase {
    /// A database of its own.
    pub(crate) async fn new() -> Self {
        let (server, name) = (server(), fresh_name());
        admin(&server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await.unwrap();
        admin(&server, &format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")).await.unwrap();
        let removal = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        Self { options: server.database(&name), schema: None, removal }
    }

    /// A schema of its own.
    pub(crate) async fn schema() -> Self {
        static MADE: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
        let (server, schema) = (server(), fresh_name());
        let make = format!("CREATE DATABASE {SHARED} TEMPLATE template0 ENCODING 'UTF8'");
        // Usually it is there from an earlier run.
        MADE.get_or_init(async || drop(admin(&server, &make).await)).await;
        let options = server.database(SHARED);
        let removal = format!("DROP SCHEMA IF EXISTS {schema} CASCADE");
        admin(&options, &removal).await.unwrap();
        Self { options, schema: Some(schema), removal }
    }

    /// The adapter on this database.
    pub(crate) fn storage(&self) -> Postgres {
        self.storage_with(PostgresOptions::default())
    }

    /// The adapter with other options.
    pub(crate) fn storage_with(&self, mut options: PostgresOptions) -> Postgres {
        options.schema.clone_from(&self.schema);
        Postgres::connect(self.url()).with_options(options)
    }

    pub(crate) fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    pub(crate) fn url(&self) -> String {
        self.options.to_url_lossy().to_string()
    }

    /// The adapter, opened.
    pub(crate) async fn open(&self) -> Storage {
        self.storage().open(&environment()).await.unwrap()
    }

    /// A connection beside the adapter.
    pub(crate) async fn connect(&self) -> PgConnection {
        let path = self.schema.as_deref().unwrap_or("public");
        self.options.clone().options([("search_path", path)]).connect().await.unwrap()
    }

    /// Runs statements behind the adapter's back.
    pub(crate) async fn tamper(&self, statements: &str) {
        let mut connection = self.connect().await;
        sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (server, removal) =
            (self.schema.as_ref().map_or_else(server, |_| self.options.clone()), self.removal.clone());
        // A runtime of its own: the test's may be about to end.
        #[expect(
            clippy::disallowed_methods,
            reason = "cleaning up after a test has nothing to do with what it simulates"
        )]
        let removal = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            drop(runtime.block_on(admin(&server, &removal)));
        });
        drop(removal.join());
    }
}

async fn admin(server: &PgConnectOptions, statement: &str) -> Result<(), sqlx::Error> {
    let mut connection = server.clone().connect().await.expect("the server of TEST_DATABASE_URL answers");
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await?;
    connection.close().await
}

/// The machine's time, moved by some microseconds.
#[derive(Debug)]
struct Skewed {
    right: Arc<dyn Clock>,
    by: i64,
}

impl Clock for Skewed {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.right.now().as_microsecond() + self.by).unwrap()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.right.sleep(duration)
    }
}

/// An environment on the machine's time.
pub(crate) fn environment() -> Environment {
    skewed(0)
}

/// An environment whose clock is wrong by `microseconds`.
pub(crate) fn skewed(microseconds: i64) -> Environment {
    let live = live_environment();
    Environment {
        clock: Arc::new(Skewed { right: Arc::clone(&live.clock), by: microseconds }),
        ids: Arc::new(SequentialIds::default()),
        random: Arc::new(SeededRandom::new(1)),
        ..live
    }
}

/// Closes a storage.
pub(crate) async fn close(storage: &Storage) {
    (storage.close)().await;
}

/// The stream `key` of the category `test`.
pub(crate) fn stream(key: &str) -> StreamId {
    StreamId::new("test", key).unwrap()
}

/// An event with `body` as its payload.
pub(crate) fn event(body: impl Into<String>) -> NewEvent {
    static IDS: LazyLock<Environment> = LazyLock::new(environment);
    NewEvent {
        id: EventId::from_uuid(IDS.new_id()),
        event_type: "test.Happened".into(),
        schema_version: SchemaVersion::FIRST,
        payload: body.into().into(),
        metadata: EventMetadata::default().encode(),
    }
}

/// An append of `count` events to `key`, whatever its version is.
pub(crate) fn append(key: &str, count: usize) -> Append {
    let events = (1..=count).map(|number| event(number.to_string())).collect();
    Append::to(stream(key), ExpectedVersion::Any, events)
}

/// The whole log.
pub(crate) async fn log(storage: &Storage) -> Vec<RecordedEvent> {
    storage.events.read_log(LogQuery::after(Position::ZERO, 1_000_000)).await.unwrap().events
}
