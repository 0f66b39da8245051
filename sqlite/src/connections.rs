//! The connections of one open file: one that writes, some that read.
//!
//! A write is a run of statements of which the first says `BEGIN IMMEDIATE` and the last ends with `COMMIT`: each
//! statement sent costs two thread switches, so beginning and committing do not get one of their own. A write that did
//! not reach its end, because a statement failed or its future was dropped, is rolled back before the next one.

use crate::error::{setup_error, store_error};
use crate::event_store::{KnownStreams, Tail};
use crate::lock::FileLock;
use crate::options::SqliteOptions;
use crate::rows::{Statement, column};
use crate::schema;
use composable_rust_core::port::StoreError;
use composable_rust_core::{Environment, Position, Signal};
use futures_util::{Stream, StreamExt, TryStreamExt};
use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row, SqliteConnection};
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Semaphore, SemaphorePermit};

/// One open file.
pub(crate) struct Database {
    /// Time and tasks.
    pub(crate) environment: Environment,
    /// The newest position that is committed.
    pub(crate) signal: Signal,
    tail: Mutex<Tail>,
    writer: tokio::sync::Mutex<Writer>,
    /// Held by the one write behind that may wait for the writer.
    behind: tokio::sync::Mutex<()>,
    readers: Readers,
    lock: Mutex<Option<FileLock>>,
}

/// What is known to whoever may write.
pub(crate) struct Writer {
    connection: Option<SqliteConnection>,
    /// A write began and has not reached its end.
    unfinished: bool,
    /// The newest numbers given away.
    pub(crate) newest: Newest,
    /// The streams that need no look-up.
    pub(crate) streams: KnownStreams,
    /// When command ids past their time are looked for again.
    pub(crate) purge_at: Timestamp,
}

/// The newest numbers in the file. There is one writer, so it counts in memory.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Newest {
    /// The position of the newest event.
    pub(crate) position: Position,
    /// The row of the newest stream.
    pub(crate) stream: i64,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("position", &self.signal.position()).finish_non_exhaustive()
    }
}

impl Database {
    /// Opens, checks and migrates the file, which `lock` protects.
    pub(crate) async fn open(
        path: &Path,
        options: &SqliteOptions,
        environment: &Environment,
        lock: FileLock,
    ) -> Result<Arc<Self>, StoreError> {
        let failed = |error: sqlx::Error| setup_error(path, &error);
        let base = connect_options(path, options);
        let mut writer = base.clone().create_if_missing(true).connect().await.map_err(failed)?;
        schema::check_identity(&mut writer, path).await?;
        configure(&mut writer, path, options).await?;
        schema::migrate(&mut writer, path, environment.now()).await?;
        // Nobody but us has the file open, so whoever held a lease is dead.
        sqlx::query("UPDATE leases SET holder = NULL").execute(&mut writer).await.map_err(failed)?;
        let newest = newest(&mut writer).await.map_err(failed)?;
        let mut idle = Vec::with_capacity(options.readers.max(1));
        for _ in 0..options.readers.max(1) {
            let cache = format!("-{}", options.cache_kib);
            let reader = base.clone().read_only(true).pragma("cache_size", cache).connect().await;
            idle.push(reader.map_err(failed)?);
        }
        Ok(Arc::new(Self {
            environment: environment.clone(),
            signal: Signal::at(newest.position),
            tail: Mutex::new(Tail::new(newest.position, options.tail_bytes)),
            writer: tokio::sync::Mutex::new(Writer {
                connection: Some(writer),
                unfinished: false,
                newest,
                streams: KnownStreams::new(options.known_streams),
                purge_at: Timestamp::MIN,
            }),
            behind: tokio::sync::Mutex::default(),
            readers: Readers::new(idle),
            lock: Mutex::new(Some(lock)),
        }))
    }

    /// The store's time, to the microsecond that it keeps.
    pub(crate) fn now(&self) -> Timestamp {
        let now = self.environment.now();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    /// The newest part of the log.
    pub(crate) fn tail(&self) -> MutexGuard<'_, Tail> {
        guard(&self.tail)
    }

    /// Waits for the turn to write; `doing` names the work in errors.
    pub(crate) async fn write(self: &Arc<Self>, doing: &'static str) -> Result<Write<'_>, StoreError> {
        self.turn(doing, None).await
    }

    /// As [`Self::write`], for what follows from events and nobody waits for to be told that something was done: rows of
    /// views, checkpoints, snapshots. There are many of them for each append, so they queue by themselves,
    /// and an append waits for one of them at most.
    pub(crate) async fn write_behind(self: &Arc<Self>, doing: &'static str) -> Result<Write<'_>, StoreError> {
        let behind = self.behind.lock().await;
        self.turn(doing, Some(behind)).await
    }

    async fn turn<'a>(
        self: &'a Arc<Self>,
        doing: &'static str,
        behind: Option<tokio::sync::MutexGuard<'a, ()>>,
    ) -> Result<Write<'a>, StoreError> {
        let mut writer = self.writer.lock().await;
        if writer.unfinished {
            self.recover(&mut writer).await.map_err(|error| store_error(doing, error))?;
        }
        Ok(Write { database: self, writer, doing, _behind: behind })
    }

    /// Waits for a connection to read; `doing` names the work in errors.
    pub(crate) async fn read(&self, doing: &'static str) -> Result<Read<'_>, StoreError> {
        self.readers.take(doing).await
    }

    /// Closes all connections and gives the file up, after the calls under way.
    pub(crate) async fn close(&self) {
        for connection in self.readers.close().await {
            log_failure(connection.close().await);
        }
        let writer = self.writer.lock().await.connection.take();
        if let Some(connection) = writer {
            log_failure(connection.close().await);
        }
        drop(guard(&self.lock).take());
    }

    /// Rolls back what did not reach its end, or learns that it did.
    async fn recover(&self, writer: &mut Writer) -> Result<(), sqlx::Error> {
        let connection = writer.connection.as_mut().ok_or(sqlx::Error::PoolClosed)?;
        // Without a transaction this fails, which is as good.
        sqlx::query("ROLLBACK").execute(&mut *connection).await.ok();
        writer.newest = newest(connection).await?;
        writer.streams.clear();
        writer.unfinished = false;
        self.tail().reset(writer.newest.position);
        self.signal.advance(writer.newest.position);
        Ok(())
    }
}

/// The turn to write.
pub(crate) struct Write<'a> {
    database: &'a Arc<Database>,
    writer: tokio::sync::MutexGuard<'a, Writer>,
    doing: &'static str,
    _behind: Option<tokio::sync::MutexGuard<'a, ()>>,
}

impl Write<'_> {
    /// Runs a statement that is not the write's last one.
    pub(crate) async fn run(&mut self, statement: Statement<'_>) -> Result<Vec<SqliteRow>, StoreError> {
        self.try_run(statement).await.map_err(|error| store_error(self.doing, error))
    }

    /// Runs the write's last statement: one that commits, or the only one.
    pub(crate) async fn finish(&mut self, statement: Statement<'_>) -> Result<Vec<SqliteRow>, StoreError> {
        self.try_finish(statement).await.map_err(|error| store_error(self.doing, error))
    }

    /// As [`Self::run`], for callers that look at the error.
    pub(crate) async fn try_run(&mut self, statement: Statement<'_>) -> Result<Vec<SqliteRow>, sqlx::Error> {
        let writer = &mut *self.writer;
        let connection = writer.connection.as_mut().ok_or(sqlx::Error::PoolClosed)?;
        writer.unfinished = true;
        statement.fetch_all(connection).await
    }

    /// As [`Self::finish`], for callers that look at the error.
    pub(crate) async fn try_finish(
        &mut self,
        statement: Statement<'_>,
    ) -> Result<Vec<SqliteRow>, sqlx::Error> {
        let rows = self.try_run(statement).await?;
        self.writer.unfinished = false;
        Ok(rows)
    }

    /// Ends a write that turned out to change nothing.
    pub(crate) async fn abandon(&mut self) -> Result<(), StoreError> {
        self.finish(sqlx::query("ROLLBACK")).await.map(drop)
    }

    /// What the writer knows.
    pub(crate) fn known(&mut self) -> &mut Writer {
        &mut self.writer
    }
}

impl Drop for Write<'_> {
    /// The end of a write that was dropped is found out in the background, so that a transaction does not stay open
    /// and events that were committed after all are announced, even if nobody ever writes again.
    fn drop(&mut self) {
        if self.writer.unfinished && self.writer.connection.is_some() {
            let database = Arc::clone(self.database);
            let recovery = async move {
                if let Err(error) = database.write("recover from a write that was broken off").await {
                    tracing::warn!(%error, "the next write tries again");
                }
            };
            self.database.environment.spawner.spawn("sqlite recovery", Box::pin(recovery));
        }
    }
}

/// The connections that read.
struct Readers {
    idle: Mutex<Vec<SqliteConnection>>,
    free: Semaphore,
    count: u32,
}

impl Readers {
    fn new(idle: Vec<SqliteConnection>) -> Self {
        let count = u32::try_from(idle.len()).unwrap_or(u32::MAX);
        Self { free: Semaphore::new(idle.len()), idle: Mutex::new(idle), count }
    }

    async fn take(&self, doing: &'static str) -> Result<Read<'_>, StoreError> {
        let closed = || store_error(doing, sqlx::Error::PoolClosed);
        let permit = self.free.acquire().await.map_err(|_| closed())?;
        let connection = guard(&self.idle).pop().ok_or_else(closed)?;
        Ok(Read { readers: self, connection: Some(connection), doing, _permit: permit })
    }

    async fn close(&self) -> Vec<SqliteConnection> {
        if let Ok(all) = self.free.acquire_many(self.count).await {
            self.free.close();
            drop(all);
        }
        std::mem::take(&mut *guard(&self.idle))
    }
}

/// A connection to read with. It sees what was committed when each of its statements began.
pub(crate) struct Read<'a> {
    readers: &'a Readers,
    connection: Option<SqliteConnection>,
    doing: &'static str,
    _permit: SemaphorePermit<'a>,
}

impl Read<'_> {
    /// The rows of a statement.
    pub(crate) async fn all(&mut self, statement: Statement<'_>) -> Result<Vec<SqliteRow>, StoreError> {
        self.try_all(statement).await.map_err(|error| store_error(self.doing, error))
    }

    /// The first row of a statement.
    pub(crate) async fn first(&mut self, statement: Statement<'_>) -> Result<Option<SqliteRow>, StoreError> {
        Ok(self.all(statement).await?.into_iter().next())
    }

    /// As [`Self::all`], for callers that look at the error.
    pub(crate) async fn try_all(&mut self, statement: Statement<'_>) -> Result<Vec<SqliteRow>, sqlx::Error> {
        let connection = self.connection.as_mut().ok_or(sqlx::Error::PoolClosed)?;
        statement.fetch_all(connection).await
    }

    /// The rows of a statement as they come, so that the caller decodes while the connection's thread reads on.
    pub(crate) fn stream<'s>(
        &'s mut self,
        statement: Statement<'s>,
    ) -> impl Stream<Item = Result<SqliteRow, StoreError>> + Send + 's {
        let doing = self.doing;
        match self.connection.as_mut() {
            Some(connection) => statement.fetch(connection),
            None => futures_util::stream::empty().boxed(),
        }
        .map_err(move |error| store_error(doing, error))
    }
}

impl Drop for Read<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            guard(&self.readers.idle).push(connection);
        }
    }
}

fn connect_options(path: &Path, options: &SqliteOptions) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(options.busy_timeout)
        .statement_cache_capacity(options.statements)
        .row_buffer_size(options.row_buffer.max(1))
        .thread_name(|number| format!("sqlite-{number}"))
        .foreign_keys(false)
        .disable_statement_logging()
}

/// Settings of the connection that writes. `FULL` makes each commit durable before it is answered.
async fn configure(
    connection: &mut SqliteConnection,
    path: &Path,
    options: &SqliteOptions,
) -> Result<(), StoreError> {
    let failed = |error: sqlx::Error| setup_error(path, &error);
    let mode = sqlx::query("PRAGMA journal_mode = WAL").fetch_one(&mut *connection).await.map_err(failed)?;
    let mode: String = mode.try_get(0).map_err(failed)?;
    if !mode.eq_ignore_ascii_case("wal") {
        return Err(StoreError::Setup(format!(
            "{} is on a file system without write-ahead logging (shared memory); use a local disk",
            path.display()
        )));
    }
    let limit =
        options.file_pages.map(|pages| format!("PRAGMA max_page_count = {pages};")).unwrap_or_default();
    let settings = format!(
        "PRAGMA synchronous = FULL; PRAGMA cache_size = -{}; PRAGMA wal_autocheckpoint = {}; \
         PRAGMA journal_size_limit = {}; PRAGMA temp_store = MEMORY; {limit}",
        options.cache_kib, options.wal_pages, options.wal_kept_bytes
    );
    sqlx::query(AssertSqlSafe(settings)).execute(connection).await.map_err(failed)?;
    Ok(())
}

async fn newest(connection: &mut SqliteConnection) -> Result<Newest, sqlx::Error> {
    let row = sqlx::query(
        "SELECT (SELECT coalesce(max(position), 0) FROM events), (SELECT coalesce(max(id), 0) FROM streams)",
    )
    .fetch_one(connection)
    .await?;
    let number = |index| column::<i64>(&row, index).map_err(|error| sqlx::Error::Decode(error.into()));
    Ok(Newest { position: Position::from_i64(number(0)?), stream: number(1)? })
}

/// Our locks are held for moments in which nothing can panic, so a poisoned one is as good as any.
fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn log_failure(result: Result<(), sqlx::Error>) {
    if let Err(error) = result {
        tracing::warn!(%error, "a connection to SQLite did not close cleanly");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use composable_rust_testing::test_environment;

    /// Whether a machine that loses its power keeps what was answered rests on these two.
    #[tokio::test]
    async fn every_commit_is_synced_to_the_write_ahead_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.db");
        let environment = test_environment().environment;
        let lock = FileLock::acquire(&path).unwrap();
        let database = Database::open(&path, &SqliteOptions::default(), &environment, lock).await.unwrap();
        let mut write = database.write("look at the settings").await.unwrap();
        let mode = write.finish(sqlx::query("PRAGMA journal_mode")).await.unwrap();
        assert_eq!(mode[0].get::<String, _>(0), "wal");
        let synchronous = write.finish(sqlx::query("PRAGMA synchronous")).await.unwrap();
        assert_eq!(synchronous[0].get::<i64, _>(0), 2, "FULL");
        drop(write);
        database.close().await;
    }
}
