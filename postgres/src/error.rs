//! What PostgreSQL's errors mean to the ports. Not here: domain outcomes, which are decided before anything is written.

use composable_rust_core::port::StoreError;
use std::error::Error;
use std::io::ErrorKind;

/// Codes that mean more than "it failed" (postgresql.org/docs/current/errcodes-appendix.html).
mod code {
    pub(super) const NOT_IN_REPERTOIRE: &str = "22021";
    pub(super) const READ_ONLY: &str = "25006";
    pub(super) const NO_SUCH_ROLE: &str = "28000";
    pub(super) const WRONG_PASSWORD: &str = "28P01";
    pub(super) const NO_SUCH_DATABASE: &str = "3D000";
    pub(super) const SERIALIZATION: &str = "40001";
    pub(super) const DEADLOCK: &str = "40P01";
    pub(super) const MISSING_RIGHT: &str = "42501";
    pub(super) const NO_SUCH_TABLE: &str = "42P01";
    pub(super) const DISK_FULL: &str = "53100";
    pub(super) const TOO_MANY_CONNECTIONS: &str = "53300";
    pub(super) const TOO_LARGE: &str = "54000";
    pub(super) const DATA_CORRUPTED: &str = "XX001";
    pub(super) const INDEX_CORRUPTED: &str = "XX002";
}

/// Says what was attempted when a statement failed.
pub(crate) fn store_error(doing: &'static str, error: sqlx::Error) -> StoreError {
    if matches!(error, sqlx::Error::PoolClosed) {
        return StoreError::unavailable(doing, "the storage is closed: its application was shut down");
    }
    if matches!(error, sqlx::Error::PoolTimedOut) {
        let reason =
            "no connection became free in time; the server is slow, or `PostgresOptions` allows too few";
        return StoreError::unavailable(doing, reason);
    }
    if matches!(error, sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)) {
        return corrupt(doing, &error);
    }
    match code(&error).as_deref() {
        Some(code::DISK_FULL) => StoreError::Full { doing, source: cause(error) },
        Some(code::DATA_CORRUPTED | code::INDEX_CORRUPTED) => corrupt(doing, &error),
        Some(code::MISSING_RIGHT) => StoreError::Setup(missing_right(&error)),
        Some(code::NOT_IN_REPERTOIRE) => {
            StoreError::InvalidRequest(format!("{doing}: PostgreSQL keeps no text with a NUL character"))
        }
        Some(code::TOO_LARGE) => StoreError::InvalidRequest(format!(
            "{doing}: {}; a key or an indexed column takes about 2,600 bytes",
            describe(&error)
        )),
        Some(code::READ_ONLY) => {
            let reason = format!("the server takes no writes, as a standby does ({})", describe(&error));
            StoreError::unavailable(doing, reason)
        }
        Some(_) | None => StoreError::unavailable(doing, cause(error)),
    }
}

/// What PostgreSQL said, once: sqlx's own text repeats its cause.
fn cause(error: sqlx::Error) -> Box<dyn Error + Send + Sync> {
    if let sqlx::Error::Database(said) = error { said.into_error() } else { error.into() }
}

/// Something stored is not what this code writes.
pub(crate) fn corrupt(what: &str, error: &dyn Error) -> StoreError {
    StoreError::Corrupt(format!("{what}: {error}"))
}

/// Says what to do when the database at `place` cannot be opened.
pub(crate) fn setup_error(place: &str, error: &sqlx::Error) -> StoreError {
    let said = describe(error);
    StoreError::Setup(match (code(error).as_deref(), error) {
        (Some(code::WRONG_PASSWORD), _) => {
            format!("{place} refuses the password ({said}); correct user and password in the URL")
        }
        (Some(code::NO_SUCH_ROLE), _) => format!(
            "{place} refuses the connection ({said}); correct user or TLS settings in the URL, or allow them in the \
             server's pg_hba.conf"
        ),
        (Some(code::NO_SUCH_DATABASE), _) => {
            format!("{place} has no such database ({said}); make it with `createdb`, or name another one")
        }
        (Some(code::MISSING_RIGHT), _) => format!("{place}: {}", missing_right(error)),
        (Some(code::TOO_MANY_CONNECTIONS), _) => format!(
            "{place} has no connection left ({said}); raise max_connections, or lower the numbers in PostgresOptions"
        ),
        (Some(code::READ_ONLY), _) => format!("{place} takes no writes ({said}); name the primary server"),
        (_, sqlx::Error::Io(io)) => {
            let refused = io.kind() == ErrorKind::ConnectionRefused;
            let start = if refused { "start the server, or " } else { "" };
            format!("{place} cannot be reached ({io}); {start}correct host and port in the URL")
        }
        (_, sqlx::Error::Tls(tls)) => format!(
            "{place}: no secure connection ({tls}); name the server's certificate with sslrootcert in the URL, or \
             correct sslmode"
        ),
        (_, sqlx::Error::PoolTimedOut) => {
            format!("{place} did not answer in time; start the server, or correct host and port in the URL")
        }
        _ => return StoreError::unavailable("open the database", format!("{place}: {said}")),
    })
}

fn missing_right(error: &sqlx::Error) -> String {
    format!(
        "a right is missing ({}); the role must own the tables, or the right to make them: GRANT CREATE ON SCHEMA \
         public TO the role",
        describe(error)
    )
}

/// What the server said, or what went wrong on the way to it.
fn describe(error: &sqlx::Error) -> String {
    error.as_database_error().map_or_else(|| error.to_string(), |said| said.message().to_owned())
}

/// Whether a statement named a table that does not exist.
pub(crate) fn is_missing_table(error: &sqlx::Error) -> bool {
    code(error).as_deref() == Some(code::NO_SUCH_TABLE)
}

/// Whether the server broke a transaction off because of others; nothing of it was written.
pub(crate) fn is_broken_off(error: &sqlx::Error) -> bool {
    matches!(code(error).as_deref(), Some(code::DEADLOCK | code::SERIALIZATION))
}

fn code(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}
