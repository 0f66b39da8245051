//! One process per file, by a lock of the operating system on a file beside the database.
//!
//! The lock is the authority: it ends with its process however that dies. The text in the file only tells a second
//! process who the first is.

use composable_rust_core::port::StoreError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Held as long as the database is open.
#[derive(Debug)]
pub(crate) struct FileLock {
    file: File,
}

impl FileLock {
    /// Takes the lock for `database`.
    ///
    /// # Errors
    /// [`StoreError::Setup`] when another process has the database open, or the lock file cannot be written.
    pub(crate) fn acquire(database: &Path) -> Result<Self, StoreError> {
        let path = lock_path(database);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| refused(&path, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(taken(database, &mut file)),
            Err(TryLockError::Error(error)) => return Err(refused(&path, &error)),
        }
        sign(&mut file).map_err(|error| refused(&path, &error))?;
        Ok(Self { file })
    }
}

impl Drop for FileLock {
    /// Closing alone may not end it: a child process that another thread is just starting has the file open as well, until
    /// its own program runs.
    fn drop(&mut self) {
        if let Err(error) = self.file.unlock() {
            tracing::warn!(%error, "the lock of a database ends with this process only");
        }
    }
}

/// The lock file of `database`: its name with `-lock`, as SQLite names its own `-wal` and `-shm`.
pub(crate) fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-lock");
    PathBuf::from(name)
}

fn sign(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn taken(database: &Path, file: &mut File) -> StoreError {
    let mut holder = String::new();
    let read = file.read_to_string(&mut holder);
    if holder.trim() == std::process::id().to_string() {
        return StoreError::Setup(format!(
            "{} is already open in this process; shut that application down first",
            database.display()
        ));
    }
    let holder = match read {
        Ok(_) if !holder.trim().is_empty() => format!("process {}", holder.trim()),
        // It has the lock but has not signed yet, or the system refuses to read a locked file.
        Ok(_) | Err(_) => "another process".to_owned(),
    };
    StoreError::Setup(format!(
        "{} is in use by {holder}, and one process at a time may have it; stop that process first, or name another file",
        database.display()
    ))
}

fn refused(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Setup(format!(
        "{} cannot be written ({error}); name a database in a folder where this user may create files",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_was_dropped_is_free_although_its_file_is_open_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("x.db");
        let lock = FileLock::acquire(&database).unwrap();
        assert!(FileLock::acquire(&database).is_err());
        let _inherited = lock.file.try_clone().unwrap();
        drop(lock);
        FileLock::acquire(&database).unwrap();
    }
}
