//! Which server and database, and how it becomes a [`Storage`]. Not here: the connections (`connections.rs`), the tables
//! (`schema`).

use crate::checkpoints::Checkpoints;
use crate::connections::{Database, Place};
use crate::dead_letters::DeadLetters;
use crate::event_store::PostgresEventStore;
use crate::leases::Leases;
use crate::options::PostgresOptions;
use crate::read_models::ReadModels;
use crate::snapshots::Snapshots;
use crate::timers::Timers;
use async_trait::async_trait;
use composable_rust_core::Environment;
use composable_rust_core::port::{OpenStorage, Storage, StoreError};
use sqlx::postgres::PgConnectOptions;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The storage of an application in one PostgreSQL database, shared by all its instances.
///
/// Opening brings the tables up to date; of several instances that start at once one does it and the others wait.
///
/// ```
/// use composable_rust_postgres::Postgres;
/// let storage = Postgres::connect("postgres://app:secret@db.example/app?sslmode=verify-full");
/// assert!(!format!("{storage:?}").contains("secret"));
/// ```
#[derive(Clone)]
pub struct Postgres {
    url: String,
    /// A way without a pooler; the same when there is none.
    direct: Option<String>,
    options: PostgresOptions,
}

impl fmt::Debug for Postgres {
    /// Without the URLs, which hold passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.place().map_or_else(|error| error.to_string(), |place| place.shown);
        f.debug_struct("Postgres")
            .field("place", &place)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Postgres {
    /// The database that a URL names: `postgres://user:password@host:port/database`, with `sslmode`, `sslrootcert` and
    /// the like as parameters. What is wrong with it is told when it is opened.
    pub fn connect(url: impl Into<String>) -> Self {
        Self { url: url.into(), direct: None, options: PostgresOptions::default() }
    }

    /// With a URL that leads to the server itself, where the other one leads to a pooler: wake-ups between instances and
    /// migrations need it. Set [`PostgresOptions::statements`] to 0 for a pooler in transaction mode.
    #[must_use]
    pub fn with_direct(mut self, url: impl Into<String>) -> Self {
        self.direct = Some(url.into());
        self
    }

    /// With other limits than the usual ones.
    #[must_use]
    pub fn with_options(mut self, options: PostgresOptions) -> Self {
        self.options = options;
        self
    }

    fn place(&self) -> Result<Place, StoreError> {
        let connect = parsed(&self.url)?;
        let direct = self.direct.as_deref().map_or_else(|| Ok(connect.clone()), parsed)?;
        let database = connect.get_database().unwrap_or_else(|| connect.get_username());
        let shown = format!("postgres://{}:{}/{database}", connect.get_host(), connect.get_port());
        Ok(Place { shown, connect, direct })
    }
}

#[async_trait]
impl OpenStorage for Postgres {
    /// Connects, brings the tables up to date and begins to follow the log.
    ///
    /// # Errors
    /// [`StoreError::Setup`] with what to do when the database cannot be used, for instance because the URL or the
    /// password is wrong, a right is missing, or newer software has changed the tables; [`StoreError::Unavailable`]
    /// while the server starts or stops.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the tables as they were, or brought up to date.
    async fn open(&self, environment: &Environment) -> Result<Storage, StoreError> {
        let database = Database::open(&self.place()?, &self.options, environment).await?;
        Ok(storage(&database))
    }
}

/// The options in a URL. What is wrong is said without the URL, which holds a password.
fn parsed(url: &str) -> Result<PgConnectOptions, StoreError> {
    let example = "write postgres://user:password@host:5432/database";
    if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
        return Err(StoreError::Setup(format!("this is not the URL of a PostgreSQL database; {example}")));
    }
    PgConnectOptions::from_str(url)
        .map_err(|error| StoreError::Setup(format!("the URL of the database is wrong ({error}); {example}")))
}

fn storage(database: &Arc<Database>) -> Storage {
    let closing = Arc::clone(database);
    Storage {
        events: Arc::new(PostgresEventStore::new(database)),
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
