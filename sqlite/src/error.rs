//! What SQLite's errors mean to the ports. Not here: domain outcomes, which are decided before anything is written.

use composable_rust_core::port::StoreError;
use std::error::Error;
use std::path::Path;

/// Primary result codes of SQLite that mean more than "it failed" (sqlite.org/rescode.html).
mod code {
    pub(super) const READONLY: i32 = 8;
    pub(super) const CORRUPT: i32 = 11;
    pub(super) const FULL: i32 = 13;
    pub(super) const CANTOPEN: i32 = 14;
    pub(super) const NOTADB: i32 = 26;
}

/// Says what was attempted when a statement failed.
pub(crate) fn store_error(doing: &'static str, error: sqlx::Error) -> StoreError {
    match primary_code(&error) {
        Some(code::FULL) => return StoreError::Full { doing, source: cause(error) },
        Some(code::CORRUPT | code::NOTADB) => return StoreError::Corrupt(format!("{doing}: {error}")),
        Some(_) | None => {}
    }
    if matches!(error, sqlx::Error::PoolClosed) {
        return StoreError::unavailable(doing, "the storage is closed: its application was shut down");
    }
    if matches!(error, sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)) {
        return corrupt(doing, &error);
    }
    StoreError::unavailable(doing, cause(error))
}

/// What SQLite said, once: sqlx's own text repeats its cause.
fn cause(error: sqlx::Error) -> Box<dyn Error + Send + Sync> {
    if let sqlx::Error::Database(said) = error { said.into_error() } else { error.into() }
}

/// Something stored is not what this code writes.
pub(crate) fn corrupt(what: &str, error: &dyn Error) -> StoreError {
    StoreError::Corrupt(format!("{what}: {error}"))
}

/// Says what to do when a file cannot be opened.
pub(crate) fn setup_error(path: &Path, error: &sqlx::Error) -> StoreError {
    let path = path.display();
    StoreError::Setup(match primary_code(error) {
        Some(code::NOTADB) => {
            format!("{path} is not a SQLite database; name another file, or move this one away")
        }
        Some(code::CORRUPT) => format!("{path} is damaged ({error}); restore a backup"),
        Some(code::CANTOPEN) => {
            format!("{path} cannot be opened; name a file in a folder where this user may create files")
        }
        Some(code::READONLY) => format!("{path} cannot be written; give this user the right to write it"),
        Some(code::FULL) => format!("{path} cannot be set up because the disk is full; free space"),
        Some(_) | None => format!("{path} cannot be opened: {error}"),
    })
}

/// Whether a statement named a table that does not exist.
pub(crate) fn is_missing_table(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.message().starts_with("no such table"))
}

fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let extended: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(extended & 0xff)
}
