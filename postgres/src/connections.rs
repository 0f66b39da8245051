//! The connections of one open database: some that append, some for everything else.
//!
//! A statement is a transaction of its own unless [`Database::begin`] began one.

use crate::error::{setup_error, store_error};
use crate::horizon::Horizon;
use crate::options::{LeaseClock, PostgresOptions};
use crate::rows::Statement;
use crate::{horizon, schema, wake};
use composable_rust_core::port::StoreError;
use composable_rust_core::{Environment, Signal};
use futures_util::TryStreamExt;
use jiff::Timestamp;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgPool, Postgres};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

/// Marks our connections in `pg_stat_activity`, unless the URL names them otherwise.
const APPLICATION: &str = "composable-rust";

/// A connection used within this time is taken to be sound.
const RECENT: Duration = Duration::from_secs(1);

/// One open database.
pub(crate) struct Database {
    /// Time and tasks.
    pub(crate) environment: Environment,
    pub(crate) options: PostgresOptions,
    /// How far the log may be read.
    pub(crate) horizon: Horizon,
    /// The newest position that was appended here, for those who tell others.
    pub(crate) appended: Signal,
    /// When expired command ids are looked for again, in microseconds.
    pub(crate) purge_at: AtomicI64,
    writers: PgPool,
    others: PgPool,
    /// The one connection that hears other instances.
    listener: PgPool,
}

/// Where a database is.
#[derive(Clone)]
pub(crate) struct Place {
    /// Host, port and name, to be shown.
    pub(crate) shown: String,
    pub(crate) connect: PgConnectOptions,
    /// A way without a pooler.
    pub(crate) direct: PgConnectOptions,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("horizon", &self.horizon.known()).finish_non_exhaustive()
    }
}

impl Database {
    /// Connects, checks and migrates, and begins to follow the log.
    pub(crate) async fn open(
        place: &Place,
        options: &PostgresOptions,
        environment: &Environment,
    ) -> Result<Arc<Self>, StoreError> {
        let failed = |error: sqlx::Error| setup_error(&place.shown, &error);
        let connect = configured(&place.connect, options);
        let direct = configured(&place.direct, options);
        // Not of the pools: a migration may take as long as it needs, and goes past the pooler.
        let plain = PostgresOptions { statement_timeout: None, ..options.clone() };
        let mut first = configured(&place.direct, &plain).connect().await.map_err(failed)?;
        schema::prepare(&mut first, &place.shown, options.schema.as_deref(), environment.now()).await?;
        let channel = schema::channel(&mut first).await.map_err(failed)?;
        first.close().await.map_err(failed)?;
        let pool = |most: u32| {
            PgPoolOptions::new()
                .max_connections(most.max(1))
                .acquire_timeout(options.acquire_timeout)
                .idle_timeout(options.idle_timeout)
                .max_lifetime(options.max_lifetime)
                .test_before_acquire(false)
                .before_acquire(|connection, known| {
                    Box::pin(async move {
                        // One that was lost while it was not used, because the server was restarted, is found here.
                        if known.idle_for >= RECENT {
                            connection.ping().await?;
                        }
                        Ok(true)
                    })
                })
        };
        let database = Arc::new(Self {
            environment: environment.clone(),
            options: options.clone(),
            horizon: Horizon::default(),
            appended: Signal::default(),
            purge_at: AtomicI64::new(0),
            writers: pool(options.writers).connect_lazy_with(connect.clone()),
            others: pool(options.connections).connect_lazy_with(connect),
            listener: pool(1).max_lifetime(None).idle_timeout(None).connect_lazy_with(direct),
        });
        // The first look through the pooler also proves that it works.
        database.settle().await?;
        horizon::watch(&database);
        wake::start(&database, channel);
        Ok(database)
    }

    /// The environment's time, to the microsecond that the store keeps.
    pub(crate) fn now(&self) -> Timestamp {
        let now = self.environment.now();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    /// The time by which leases end, where it is not the server's.
    pub(crate) fn given_time(&self) -> Option<i64> {
        match self.options.lease_clock {
            LeaseClock::Server => None,
            LeaseClock::Environment => Some(self.environment.now().as_microsecond()),
        }
    }

    /// The rows of a statement; `doing` names the work in errors.
    pub(crate) async fn all(
        &self,
        doing: &'static str,
        statement: Statement<'_>,
    ) -> Result<Vec<PgRow>, StoreError> {
        self.try_all(statement).await.map_err(|error| store_error(doing, error))
    }

    /// The first row of a statement.
    pub(crate) async fn first(
        &self,
        doing: &'static str,
        statement: Statement<'_>,
    ) -> Result<Option<PgRow>, StoreError> {
        Ok(self.all(doing, statement).await?.into_iter().next())
    }

    /// As [`Self::all`], for callers that look at the error.
    pub(crate) async fn try_all(&self, statement: Statement<'_>) -> Result<Vec<PgRow>, sqlx::Error> {
        let mut lent = self.lend(&self.others).await?;
        let rows = lent.all(statement).await?;
        lent.finish().await?;
        Ok(rows)
    }

    /// As [`Self::try_all`], on a connection that is kept free for appends.
    pub(crate) async fn try_write(&self, statement: Statement<'_>) -> Result<Vec<PgRow>, sqlx::Error> {
        let mut lent = self.lend(&self.writers).await?;
        let rows = lent.all(statement).await?;
        lent.finish().await?;
        Ok(rows)
    }

    /// A connection for one statement whose rows are taken as they come.
    pub(crate) async fn reader(&self, doing: &'static str) -> Result<Lent, StoreError> {
        self.lend(&self.others).await.map_err(|error| store_error(doing, error))
    }

    /// Begins a transaction of several statements; dropped before its end, it is rolled back.
    pub(crate) async fn begin(&self, doing: &'static str) -> Result<Work, StoreError> {
        Work::begin(&self.others, doing, self.keeps_statements()).await
    }

    /// As [`Self::begin`], on a connection that is kept free for appends.
    pub(crate) async fn begin_write(&self, doing: &'static str) -> Result<Work, StoreError> {
        Work::begin(&self.writers, doing, self.keeps_statements()).await
    }

    /// The pool of the one connection that hears other instances.
    pub(crate) const fn listener(&self) -> &PgPool {
        &self.listener
    }

    /// Whether the application was shut down.
    pub(crate) fn is_closed(&self) -> bool {
        self.others.is_closed()
    }

    /// Closes all connections, after the calls under way.
    pub(crate) async fn close(&self) {
        self.listener.close().await;
        self.others.close().await;
        self.writers.close().await;
        self.horizon.doubt();
    }

    const fn keeps_statements(&self) -> bool {
        self.options.statements > 0
    }

    async fn lend(&self, pool: &PgPool) -> Result<Lent, sqlx::Error> {
        let connection = pool.acquire().await?;
        let mut lent = Lent { connection, persistent: self.keeps_statements(), unfinished: false };
        if !lent.persistent {
            // Preparing and running are two messages, which a pooler could give to two servers.
            lent.unfinished = true;
            sqlx::raw_sql(BEGIN).execute(&mut *lent.connection).await?;
        }
        Ok(lent)
    }
}

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// A connection for one statement.
pub(crate) struct Lent {
    connection: PoolConnection<Postgres>,
    persistent: bool,
    /// It has an open transaction, or rows that nobody takes.
    unfinished: bool,
}

impl Lent {
    async fn all(&mut self, statement: Statement<'_>) -> Result<Vec<PgRow>, sqlx::Error> {
        statement.persistent(self.persistent).fetch_all(&mut *self.connection).await
    }

    async fn finish(mut self) -> Result<(), sqlx::Error> {
        if !self.persistent {
            sqlx::raw_sql("COMMIT").execute(&mut *self.connection).await?;
            self.unfinished = false;
        }
        Ok(())
    }

    /// Takes the rows of a statement as they come, as long as `take` wants more.
    pub(crate) async fn each(
        mut self,
        doing: &'static str,
        statement: Statement<'_>,
        mut take: impl FnMut(PgRow) -> Result<bool, StoreError> + Send,
    ) -> Result<(), StoreError> {
        let failed = |error: sqlx::Error| store_error(doing, error);
        {
            let mut rows = statement.persistent(self.persistent).fetch(&mut *self.connection);
            while let Some(row) = rows.try_next().await.map_err(failed)? {
                if !take(row)? {
                    // What is still on its way may be a thousand times what was taken.
                    self.unfinished = true;
                    return Ok(());
                }
            }
        }
        self.finish().await.map_err(failed)
    }
}

impl Drop for Lent {
    /// What is not at its end does not go back to the others: closing it ends it.
    fn drop(&mut self) {
        if self.unfinished {
            self.connection.close_on_drop();
        }
    }
}

/// A transaction of several statements.
pub(crate) struct Work {
    connection: PoolConnection<Postgres>,
    doing: &'static str,
    persistent: bool,
    /// Neither committed nor rolled back.
    open: bool,
}

impl Work {
    async fn begin(pool: &PgPool, doing: &'static str, persistent: bool) -> Result<Self, StoreError> {
        let failed = |error: sqlx::Error| store_error(doing, error);
        let connection = pool.acquire().await.map_err(failed)?;
        let mut work = Self { connection, doing, persistent, open: true };
        sqlx::raw_sql(BEGIN).execute(&mut *work.connection).await.map_err(failed)?;
        Ok(work)
    }

    /// Runs a statement.
    pub(crate) async fn all(&mut self, statement: Statement<'_>) -> Result<Vec<PgRow>, StoreError> {
        let doing = self.doing;
        self.try_all(statement).await.map_err(|error| store_error(doing, error))
    }

    /// As [`Self::all`], for callers that look at the error.
    pub(crate) async fn try_all(&mut self, statement: Statement<'_>) -> Result<Vec<PgRow>, sqlx::Error> {
        statement.persistent(self.persistent).fetch_all(&mut *self.connection).await
    }

    /// Runs statements without arguments.
    pub(crate) async fn raw(&mut self, statements: String) -> Result<(), StoreError> {
        let done = sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut *self.connection).await;
        done.map(drop).map_err(|error| store_error(self.doing, error))
    }

    /// Makes it durable.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        self.end("COMMIT").await
    }

    /// Ends it without a trace.
    pub(crate) async fn abandon(self) -> Result<(), StoreError> {
        self.end("ROLLBACK").await
    }

    async fn end(mut self, statement: &'static str) -> Result<(), StoreError> {
        let ended = sqlx::raw_sql(statement).execute(&mut *self.connection).await;
        self.open = ended.is_err();
        ended.map(drop).map_err(|error| store_error(self.doing, error))
    }
}

impl Drop for Work {
    /// A connection with an open transaction does not go back to the others: closing it rolls back.
    fn drop(&mut self) {
        if self.open {
            self.connection.close_on_drop();
        }
    }
}

/// The options that every connection has.
fn configured(base: &PgConnectOptions, options: &PostgresOptions) -> PgConnectOptions {
    let mut connect = base.clone().statement_cache_capacity(options.statements).disable_statement_logging();
    if connect.get_application_name().is_none() {
        connect = connect.application_name(APPLICATION);
    }
    if options.statements > 0 {
        if let Some(timeout) = options.statement_timeout {
            let millis = timeout.as_millis();
            // An instance that froze in the middle of a transaction would hold rows, and readers of the log, for ever.
            connect = connect
                .options([("statement_timeout", millis), ("idle_in_transaction_session_timeout", millis)]);
        }
        // Only then may an append wait for another and see what it wrote.
        connect = connect.options([("default_transaction_isolation", "read committed")]);
    }
    if let Some(schema) = &options.schema {
        connect = connect.options([("search_path", schema.as_str())]);
    }
    connect
}
