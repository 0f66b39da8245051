//! The tables, made and changed by embedded migrations that only go forward.
//!
//! Each migration says which is the oldest version of this crate that may run on its outcome, and the database records
//! it: newer code beside older works where that is allowed, and older code refuses where it is not. Several instances
//! may start at once: one migrates, the others wait for it.

use crate::error::setup_error;
use composable_rust_core::port::StoreError;
use jiff::Timestamp;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Postgres, Row, Transaction};

/// The advisory lock under which tables are made: "composab" as a number.
pub(crate) const LOCK: i64 = 0x636f_6d70_6f73_6162;

/// One step forward.
struct Migration {
    /// Its number, from 1 without holes.
    version: i64,
    /// What it does, in a few words.
    name: &'static str,
    /// The oldest version of this crate that may run on its outcome.
    oldest_code: &'static str,
    sql: &'static str,
}

const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, name: "initial", oldest_code: "0.1.0", sql: include_str!("0001_initial.sql") }];

/// Checks the server and brings the database to the newest schema that this code knows.
pub(crate) async fn prepare(
    connection: &mut PgConnection,
    place: &str,
    schema: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let failed = |error: sqlx::Error| setup_error(place, &error);
    check_server(connection, place).await?;
    if let Some(schema) = schema {
        make_schema(connection, schema).await.map_err(failed)?;
    }
    check_identity(connection, place).await?;
    run(connection, MIGRATIONS, env!("CARGO_PKG_VERSION"), now).await.map_err(|error| match error {
        MigrationError::TooOld { needed, own } => StoreError::Setup(format!(
            "{place} needs version {needed} of this software or newer, this is {own}; run the newer version"
        )),
        MigrationError::Failed(error) => setup_error(place, &error),
    })
}

/// The channel on which instances wake each other; another one for each schema of a database.
pub(crate) async fn channel(connection: &mut PgConnection) -> Result<String, sqlx::Error> {
    let text = "SELECT 'composable_rust_' || 'event_positions'::regclass::oid::bigint";
    sqlx::query_scalar(text).fetch_one(connection).await
}

/// Refuses a server on which the ports cannot keep what they promise.
async fn check_server(connection: &mut PgConnection, place: &str) -> Result<(), StoreError> {
    let failed = |error: sqlx::Error| setup_error(place, &error);
    let row = sqlx::query(
        "SELECT current_setting('server_version_num')::bigint, current_setting('server_version'),
            pg_is_in_recovery(), current_setting('server_encoding'), current_setting('fsync')",
    )
    .persistent(false)
    .fetch_one(connection)
    .await
    .map_err(failed)?;
    let version: i64 = row.try_get(0).map_err(failed)?;
    if version < 140_000 {
        let version: String = row.try_get(1).map_err(failed)?;
        return Err(StoreError::Setup(format!(
            "{place} is PostgreSQL {version}; version 14 or newer is needed"
        )));
    }
    if row.try_get(2).map_err(failed)? {
        return Err(StoreError::Setup(format!(
            "{place} is a standby and takes no writes; name the primary server"
        )));
    }
    let encoding: String = row.try_get(3).map_err(failed)?;
    if encoding != "UTF8" {
        return Err(StoreError::Setup(format!(
            "{place} keeps texts in {encoding}; make the database with `createdb --encoding UTF8 --template template0`"
        )));
    }
    if row.try_get::<String, _>(4).map_err(failed)? == "off" {
        tracing::warn!(
            "{place} runs with fsync off: what it has answered is lost when its machine loses power"
        );
    }
    Ok(())
}

async fn make_schema(connection: &mut PgConnection, schema: &str) -> Result<(), sqlx::Error> {
    let known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)")
        .bind(schema)
        .persistent(false)
        .fetch_one(&mut *connection)
        .await?;
    if !known {
        // Two that do it at once would both find none: IF NOT EXISTS alone does not keep them apart.
        let mut transaction = locked(connection).await?;
        let quoted = schema.replace('"', "\"\"");
        let text = format!("CREATE SCHEMA IF NOT EXISTS \"{quoted}\"");
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *transaction).await?;
        transaction.commit().await?;
    }
    Ok(())
}

/// Refuses tables of other software with the names of ours before anything is changed.
async fn check_identity(connection: &mut PgConnection, place: &str) -> Result<(), StoreError> {
    let row = sqlx::query(
        "SELECT to_regclass('streams') IS NOT NULL OR to_regclass('events') IS NOT NULL
                OR to_regclass('schema_migrations') IS NOT NULL,
            EXISTS (SELECT FROM pg_attribute
                WHERE attrelid = to_regclass('schema_migrations') AND attname = 'oldest_code')",
    )
    .persistent(false)
    .fetch_one(connection)
    .await
    .map_err(|error| setup_error(place, &error))?;
    let flag = |index| row.try_get::<bool, _>(index).map_err(|error| setup_error(place, &error));
    if flag(0)? && !flag(1)? {
        return Err(StoreError::Setup(format!(
            "{place} has tables of other software with the names of ours; name another database, or a schema of its \
             own in PostgresOptions"
        )));
    }
    Ok(())
}

#[derive(Debug)]
enum MigrationError {
    TooOld { needed: String, own: String },
    Failed(sqlx::Error),
}

impl From<sqlx::Error> for MigrationError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error)
    }
}

/// A transaction that changes what tables there are. Whoever comes second waits here, and then finds the work done.
async fn locked(connection: &mut PgConnection) -> Result<Transaction<'_, Postgres>, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(LOCK)
        .persistent(false)
        .execute(&mut *transaction)
        .await?;
    Ok(transaction)
}

async fn run(
    connection: &mut PgConnection,
    migrations: &[Migration],
    code: &str,
    now: Timestamp,
) -> Result<(), MigrationError> {
    let mut transaction = locked(connection).await?;
    sqlx::raw_sql(
        "CREATE TABLE IF NOT EXISTS schema_migrations (
            version bigint PRIMARY KEY,
            name text NOT NULL,
            oldest_code text NOT NULL,
            applied_by text NOT NULL,
            applied_at bigint NOT NULL
        )",
    )
    .execute(&mut *transaction)
    .await?;
    let mut done = 0;
    for row in sqlx::query("SELECT version, oldest_code FROM schema_migrations")
        .persistent(false)
        .fetch_all(&mut *transaction)
        .await?
    {
        let needed: String = row.try_get(1)?;
        if CodeVersion::parse(&needed) > CodeVersion::parse(code) {
            return Err(MigrationError::TooOld { needed, own: code.to_owned() });
        }
        done = done.max(row.try_get::<i64, _>(0)?);
    }
    for migration in migrations.iter().filter(|migration| migration.version > done) {
        sqlx::raw_sql(migration.sql).execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO schema_migrations VALUES ($1, $2, $3, $4, $5)")
            .bind(migration.version)
            .bind(migration.name)
            .bind(migration.oldest_code)
            .bind(code)
            .bind(now.as_microsecond())
            .persistent(false)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// The numbers of a version `major.minor.patch`; what is missing or strange counts as 0.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct CodeVersion([u64; 3]);

impl CodeVersion {
    fn parse(text: &str) -> Self {
        let mut numbers = [0; 3];
        let release = text.split(['-', '+']).next().unwrap_or_default();
        for (number, part) in numbers.iter_mut().zip(release.split('.')) {
            *number = part.parse().unwrap_or(0);
        }
        Self(numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::ConnectOptions;
    use sqlx::postgres::PgConnectOptions;
    use std::str::FromStr;

    const FIRST: Migration =
        Migration { version: 1, name: "first", oldest_code: "0.1.0", sql: "CREATE TABLE one (x int)" };
    const SECOND: Migration = Migration {
        version: 2,
        name: "second",
        oldest_code: "0.10.0",
        sql: "CREATE TABLE two (x int); INSERT INTO two VALUES (2)",
    };
    const BROKEN: Migration = Migration {
        version: 3,
        name: "broken",
        oldest_code: "0.10.0",
        sql: "CREATE TABLE three (x int); CREATE TABLE one (x int)",
    };

    /// Connections to a schema of the test's own, which the next run removes.
    async fn connect(schema: &str) -> (PgConnection, PgConnection) {
        let url =
            std::env::var("TEST_DATABASE_URL").expect("TEST_DATABASE_URL: run `cargo xtask services up`");
        let options = PgConnectOptions::from_str(&url).unwrap();
        let mut first = options.connect().await.unwrap();
        let fresh = format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}");
        sqlx::raw_sql(AssertSqlSafe(fresh)).execute(&mut first).await.unwrap();
        let options = options.options([("search_path", schema)]);
        (options.connect().await.unwrap(), options.connect().await.unwrap())
    }

    async fn count(connection: &mut PgConnection, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(connection).await.unwrap()
    }

    #[tokio::test]
    async fn migrations_run_once_in_order_and_go_on_where_they_were() {
        let (mut connection, _) = connect("migrations_in_order").await;
        for migrations in [&[FIRST][..], &[FIRST], &[FIRST, SECOND], &[FIRST, SECOND]] {
            run(&mut connection, migrations, "0.10.0", Timestamp::UNIX_EPOCH).await.unwrap();
        }
        assert_eq!(count(&mut connection, "SELECT count(*) FROM two").await, 1);
        assert_eq!(count(&mut connection, "SELECT max(version) FROM schema_migrations").await, 2);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn of_two_that_migrate_at_once_one_does_the_work() {
        let (mut one, mut two) = connect("migrations_at_once").await;
        let (first, second) = tokio::join!(
            run(&mut one, &[FIRST, SECOND], "0.10.0", Timestamp::UNIX_EPOCH),
            run(&mut two, &[FIRST, SECOND], "0.10.0", Timestamp::UNIX_EPOCH)
        );
        first.unwrap();
        second.unwrap();
        assert_eq!(count(&mut one, "SELECT count(*) FROM two").await, 1);
    }

    #[tokio::test]
    async fn older_code_refuses_and_code_that_is_allowed_goes_on() {
        let (mut connection, _) = connect("migrations_versions").await;
        run(&mut connection, &[FIRST, SECOND], "0.11.0", Timestamp::UNIX_EPOCH).await.unwrap();
        let refused = run(&mut connection, &[FIRST], "0.9.2", Timestamp::UNIX_EPOCH).await;
        let Err(MigrationError::TooOld { needed, own }) = refused else { panic!("{refused:?}") };
        assert_eq!((needed.as_str(), own.as_str()), ("0.10.0", "0.9.2"));
        run(&mut connection, &[FIRST], "0.10.3", Timestamp::UNIX_EPOCH).await.unwrap();
    }

    #[tokio::test]
    async fn a_migration_that_fails_leaves_nothing() {
        let (mut connection, _) = connect("migrations_broken").await;
        let failed = run(&mut connection, &[FIRST, SECOND, BROKEN], "0.10.0", Timestamp::UNIX_EPOCH).await;
        assert!(matches!(failed, Err(MigrationError::Failed(_))), "{failed:?}");
        let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'migrations_broken'";
        assert_eq!(count(&mut connection, tables).await, 0);
    }
}
