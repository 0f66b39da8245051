//! The tables, made and changed by embedded migrations that only go forward.
//!
//! Each migration says which is the oldest version of this crate that may run on its outcome, and the database records
//! it: newer code beside older works where that is allowed, and older code refuses where it is not.

use crate::error::setup_error;
use composable_rust_core::port::StoreError;
use jiff::Timestamp;
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};
use std::path::Path;

/// Marks a file as ours: "CRST" (`PRAGMA application_id`).
const APPLICATION_ID: i64 = 0x4352_5354;

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

/// Refuses a database of other software before anything in it is changed.
pub(crate) async fn check_identity(connection: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    let failed = |error: sqlx::Error| setup_error(path, &error);
    let row = sqlx::query(
        "SELECT (SELECT application_id FROM pragma_application_id), (SELECT count(*) FROM sqlite_schema)",
    )
    .fetch_one(connection)
    .await
    .map_err(failed)?;
    let (id, tables): (i64, i64) = (row.try_get(0).map_err(failed)?, row.try_get(1).map_err(failed)?);
    if tables > 0 && id != APPLICATION_ID {
        return Err(StoreError::Setup(format!(
            "{} is a database of other software; name another file",
            path.display()
        )));
    }
    Ok(())
}

/// Brings the database to the newest schema that this code knows.
pub(crate) async fn migrate(
    connection: &mut SqliteConnection,
    path: &Path,
    now: Timestamp,
) -> Result<(), StoreError> {
    run(connection, MIGRATIONS, env!("CARGO_PKG_VERSION"), now).await.map_err(|error| match error {
        MigrationError::TooOld { needed, own } => StoreError::Setup(format!(
            "{} needs version {needed} of this software or newer, this is {own}; run the newer version",
            path.display()
        )),
        MigrationError::Failed(error) => setup_error(path, &error),
    })
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

async fn run(
    connection: &mut SqliteConnection,
    migrations: &[Migration],
    code: &str,
    now: Timestamp,
) -> Result<(), MigrationError> {
    // Whoever comes second waits here, and then finds the work done.
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query(
        "CREATE TABLE IF NOT EXISTS schema_migrations (
            version INTEGER PRIMARY KEY,
            name TEXT NOT NULL,
            oldest_code TEXT NOT NULL,
            applied_by TEXT NOT NULL,
            applied_at INTEGER NOT NULL
        ) STRICT",
    )
    .execute(&mut *transaction)
    .await?;
    // SQLite opens a file that it may only read without a word, and begins "immediate" on it too: this fails there, and
    // writes nothing elsewhere.
    sqlx::query("UPDATE schema_migrations SET version = version WHERE FALSE")
        .execute(&mut *transaction)
        .await?;
    let mut done = 0;
    for row in
        sqlx::query("SELECT version, oldest_code FROM schema_migrations").fetch_all(&mut *transaction).await?
    {
        let needed: String = row.try_get(1)?;
        if CodeVersion::parse(&needed) > CodeVersion::parse(code) {
            return Err(MigrationError::TooOld { needed, own: code.to_owned() });
        }
        done = done.max(row.try_get::<i64, _>(0)?);
    }
    for migration in migrations.iter().filter(|migration| migration.version > done) {
        sqlx::raw_sql(migration.sql).execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO schema_migrations VALUES (?, ?, ?, ?, ?)")
            .bind(migration.version)
            .bind(migration.name)
            .bind(migration.oldest_code)
            .bind(code)
            .bind(now.as_microsecond())
            .execute(&mut *transaction)
            .await?;
    }
    if done == 0 {
        sqlx::raw_sql(AssertSqlSafe(format!("PRAGMA application_id = {APPLICATION_ID}")))
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
    use sqlx::sqlite::SqliteConnectOptions;

    const FIRST: Migration =
        Migration { version: 1, name: "first", oldest_code: "0.1.0", sql: "CREATE TABLE one (x)" };
    const SECOND: Migration = Migration {
        version: 2,
        name: "second",
        oldest_code: "0.10.0",
        sql: "CREATE TABLE two (x); INSERT INTO two VALUES (2)",
    };
    const BROKEN: Migration = Migration {
        version: 3,
        name: "broken",
        oldest_code: "0.10.0",
        sql: "CREATE TABLE three (x); CREATE TABLE one (x)",
    };

    async fn connect(folder: &tempfile::TempDir) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(folder.path().join("app.db"));
        options.create_if_missing(true).connect().await.unwrap()
    }

    async fn count(connection: &mut SqliteConnection, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(connection).await.unwrap()
    }

    #[tokio::test]
    async fn migrations_run_once_in_order_and_go_on_where_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let mut connection = connect(&folder).await;
        for migrations in [&[FIRST][..], &[FIRST], &[FIRST, SECOND], &[FIRST, SECOND]] {
            run(&mut connection, migrations, "0.10.0", Timestamp::UNIX_EPOCH).await.unwrap();
        }
        assert_eq!(count(&mut connection, "SELECT count(*) FROM two").await, 1);
        assert_eq!(count(&mut connection, "SELECT max(version) FROM schema_migrations").await, 2);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn of_two_that_migrate_at_once_one_does_the_work() {
        let folder = tempfile::tempdir().unwrap();
        let (mut one, mut two) = (connect(&folder).await, connect(&folder).await);
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
        let folder = tempfile::tempdir().unwrap();
        let mut connection = connect(&folder).await;
        run(&mut connection, &[FIRST, SECOND], "0.11.0", Timestamp::UNIX_EPOCH).await.unwrap();
        let refused = run(&mut connection, &[FIRST], "0.9.2", Timestamp::UNIX_EPOCH).await;
        let Err(MigrationError::TooOld { needed, own }) = refused else { panic!("{refused:?}") };
        assert_eq!((needed.as_str(), own.as_str()), ("0.10.0", "0.9.2"));
        run(&mut connection, &[FIRST], "0.10.3", Timestamp::UNIX_EPOCH).await.unwrap();
    }

    #[tokio::test]
    async fn a_file_that_may_only_be_read_is_refused_though_it_is_up_to_date() {
        let folder = tempfile::tempdir().unwrap();
        run(&mut connect(&folder).await, &[FIRST], "0.10.0", Timestamp::UNIX_EPOCH).await.unwrap();
        let path = folder.path().join("app.db");
        // What SQLite makes of a file that its user may not write.
        let only_read = SqliteConnectOptions::new().filename(&path).read_only(true);
        let refused = migrate(&mut only_read.connect().await.unwrap(), &path, Timestamp::UNIX_EPOCH).await;
        let Err(StoreError::Setup(text)) = refused else { panic!("{refused:?}") };
        assert!(text.contains("cannot be written") && text.contains("give this user the right"), "{text}");
    }

    #[tokio::test]
    async fn a_migration_that_fails_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut connection = connect(&folder).await;
        let failed = run(&mut connection, &[FIRST, SECOND, BROKEN], "0.10.0", Timestamp::UNIX_EPOCH).await;
        assert!(matches!(failed, Err(MigrationError::Failed(_))), "{failed:?}");
        assert_eq!(count(&mut connection, "SELECT count(*) FROM sqlite_schema").await, 0);
    }
}
