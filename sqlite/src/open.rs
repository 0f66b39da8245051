//! Which file, and how it becomes a [`Storage`]. Not here: the connections (`connections.rs`), the tables (`schema`).

use crate::checkpoints::Checkpoints;
use crate::connections::Database;
use crate::dead_letters::DeadLetters;
use crate::event_store::Events;
use crate::leases::Leases;
use crate::lock::FileLock;
use crate::options::SqliteOptions;
use crate::read_models::ReadModels;
use crate::snapshots::Snapshots;
use crate::timers::Timers;
use async_trait::async_trait;
use composable_rust_core::Environment;
use composable_rust_core::port::{OpenStorage, Storage, StoreError};
use sqlx::sqlite::SqliteConnectOptions;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

/// The storage of an application in one SQLite file.
///
/// Opening makes missing folders and the file, brings its tables up to date and refuses a file that another process
/// has open. Beside the file stand `…-wal` and `…-shm` (SQLite's own; part of the data while the file is open) and
/// `…-lock`.
///
/// ```
/// use composable_rust_sqlite::Sqlite;
/// assert_eq!(Sqlite::url("sqlite://data/counter.db"), Sqlite::file("data/counter.db"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sqlite {
    location: Location,
    options: SqliteOptions,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Location {
    File(PathBuf),
    /// What is wrong with the URL given, told when it is opened.
    Unusable(String),
}

impl Sqlite {
    /// The storage in the file at `path`.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { location: Location::File(path.into()), options: SqliteOptions::default() }
    }

    /// The storage that a URL names: `sqlite://relative/path.db`, `sqlite:///absolute/path.db`, or `sqlite:` with a
    /// path. A URL that names none is refused when it is opened.
    pub fn url(url: &str) -> Self {
        let location = match path_of(url) {
            Ok(path) => Location::File(path),
            Err(reason) => Location::Unusable(reason),
        };
        Self { location, options: SqliteOptions::default() }
    }

    /// The file, as it was named. What an application keeps beside it belongs beside [`ClaimedSqlite::path`].
    ///
    /// # Errors
    /// [`StoreError::Setup`] with what to write instead, when the URL names no file.
    pub fn path(&self) -> Result<&Path, StoreError> {
        match &self.location {
            Location::File(path) => Ok(path),
            Location::Unusable(reason) => Err(StoreError::Setup(reason.clone())),
        }
    }

    /// Makes the folder and takes the file for this process, without opening it: for what an application keeps beside
    /// it and reads before it starts. Beside [`ClaimedSqlite::path`], that is one place under every name of the file,
    /// and nobody else uses it.
    ///
    /// # Errors
    /// [`StoreError::Setup`] with what to do, for instance when another process has the file.
    pub fn claim(self) -> Result<ClaimedSqlite, StoreError> {
        let path = self.path()?;
        check_path(path)?;
        let path = real_path(path)?;
        let lock = FileLock::acquire(&path)?;
        Ok(ClaimedSqlite { path, options: self.options, lock: Mutex::new(Some(lock)) })
    }

    /// With other limits than the usual ones.
    #[must_use]
    pub fn with_options(mut self, options: SqliteOptions) -> Self {
        self.options = options;
        self
    }
}

#[async_trait]
impl OpenStorage for Sqlite {
    /// Opens the file.
    ///
    /// # Errors
    /// [`StoreError::Setup`] with what to do when the file cannot be used, for instance because another process has
    /// it open, it is no database, or newer software has changed it.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the file as it was, or brought up to date.
    async fn open(&self, environment: &Environment) -> Result<Storage, StoreError> {
        self.clone().claim()?.open(environment).await
    }
}

/// A file that this process has taken and not opened yet; see [`Sqlite::claim`]. Dropped unopened, it is free again.
#[derive(Debug)]
pub struct ClaimedSqlite {
    path: PathBuf,
    options: SqliteOptions,
    /// Goes to the storage that opens it.
    lock: Mutex<Option<FileLock>>,
}

impl ClaimedSqlite {
    /// The one name of the file, whatever links led to it.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[async_trait]
impl OpenStorage for ClaimedSqlite {
    /// Opens the file.
    ///
    /// # Errors
    /// As [`Sqlite::open`]; opened once more, it is taken anew.
    ///
    /// # Cancel safety
    /// As [`Sqlite::open`].
    async fn open(&self, environment: &Environment) -> Result<Storage, StoreError> {
        let claimed = self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
        let lock = claimed.map_or_else(|| FileLock::acquire(&self.path), Ok)?;
        let database = Database::open(&self.path, &self.options, environment, lock).await?;
        Ok(storage(&database))
    }
}

fn path_of(url: &str) -> Result<PathBuf, String> {
    let example = "write sqlite:// and the path of a file, for example sqlite://data/app.db";
    if !url.starts_with("sqlite:") {
        return Err(format!("{url:?} is not a SQLite URL; {example}"));
    }
    if url.contains('?') {
        return Err(format!("{url:?} has parameters; set them in SqliteOptions instead, and {example}"));
    }
    let options =
        SqliteConnectOptions::from_str(url).map_err(|error| format!("{url:?}: {error}; {example}"))?;
    check_name(options.get_filename())?;
    Ok(options.get_filename().to_owned())
}

/// Refuses what names no file. SQLite would take it for one of its databases that are gone at the end.
fn check_name(path: &Path) -> Result<(), String> {
    let text = path.to_string_lossy();
    if text.contains(":memory:") || text.starts_with("file:sqlx-in-memory") || text.is_empty() {
        return Err(
            "SQLite in memory keeps nothing; name a file, or use the memory storage of the testing crate"
                .into(),
        );
    }
    Ok(())
}

/// Makes the folder and refuses what can be no file, with a reason better than SQLite's.
fn check_path(path: &Path) -> Result<(), StoreError> {
    let shown = path.display();
    check_name(path).map_err(StoreError::Setup)?;
    if path.is_dir() {
        return Err(StoreError::Setup(format!("{shown} is a folder; name a file in it")));
    }
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    std::fs::create_dir_all(folder).map_err(|error| {
        closed(path, &error).unwrap_or_else(|| {
            StoreError::Setup(format!(
                "the folder {} cannot be made ({error}); make it, or name a file in another one",
                folder.display()
            ))
        })
    })
}

/// The one name of the file, whatever links lead to it: the lock and SQLite's own files stand beside that name.
fn real_path(path: &Path) -> Result<PathBuf, StoreError> {
    let found = match std::fs::canonicalize(path) {
        Ok(found) => found,
        // It is not there yet, so nothing but its folder can be a link.
        Err(error) if error.kind() == ErrorKind::NotFound && !path.is_symlink() => {
            return Ok(in_real_folder(path));
        }
        Err(error) => {
            return Err(closed(path, &error).unwrap_or_else(|| {
                StoreError::Setup(format!("{} leads nowhere ({error}); name the file itself", path.display()))
            }));
        }
    };
    match names_of(&found) {
        0 | 1 => Ok(found),
        names => Err(StoreError::Setup(format!(
            "{} has {names} names (hard links), and SQLite would damage it if it were used under two; remove the \
             others",
            found.display()
        ))),
    }
}

/// The refusal where a right is missing and not a file: a folder on the way that this user may not enter.
fn closed(path: &Path, error: &std::io::Error) -> Option<StoreError> {
    if error.kind() != ErrorKind::PermissionDenied {
        return None;
    }
    let mut folders: Vec<_> = path.ancestors().skip(1).filter(|path| !path.as_os_str().is_empty()).collect();
    folders.reverse();
    // What is in a folder can be asked for only by those who may enter it.
    let is_closed = |folder: &&&Path| {
        std::fs::metadata(folder.join(".")).is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
    };
    let folder = folders.iter().find(is_closed)?;
    Some(StoreError::Setup(format!(
        "{} cannot be reached ({error}): this user may not enter the folder {}; give it the right to (`chmod u+x`, or \
         another owner), or name a file in another folder",
        path.display(),
        folder.display()
    )))
}

/// The name that a file will have once it is there.
fn in_real_folder(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (std::fs::canonicalize(folder), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        (Ok(_) | Err(_), _) => path.to_owned(),
    }
}

/// How many directory entries name the file; zero where that cannot be told.
#[cfg(unix)]
fn names_of(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).map_or(0, |metadata| metadata.nlink())
}

#[cfg(not(unix))]
const fn names_of(_: &Path) -> u64 {
    0
}

fn storage(database: &Arc<Database>) -> Storage {
    let closing = Arc::clone(database);
    Storage {
        events: Arc::new(Events::new(database)),
        snapshots: Arc::new(Snapshots::new(database)),
        timers: Arc::new(Timers::new(database)),
        views: Arc::new(ReadModels::new(database)),
        checkpoints: Arc::new(Checkpoints::new(database)),
        leases: Arc::new(Leases::new(database)),
        dead_letters: Arc::new(DeadLetters::new(database)),
        close: Arc::new(move || {
            let database = Arc::clone(&closing);
            Box::pin(async move { database.close().await })
        }),
    }
}
