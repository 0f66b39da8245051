//! What the operator decides: flags win over the environment, the environment over a file, the file over defaults.
//!
//! The only place that chooses adapters. All that is wrong is told at once.

mod check;
mod said;
mod settings;

pub use check::ConfigErrors;
pub use settings::Settings;

use crate::payment::gateway::{Ledger, SimulatedGateway};
use crate::shared::Secret;
use composable_rust::port::Rate;
use composable_rust::prelude::*;
use composable_rust::runtime::{BoxError, SystemClock};
use composable_rust::web::{RateLimitLayer, TrustedProxies};
use std::fmt;
use std::io::{ErrorKind, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Guessing addresses must not pay, neither for programs nor on the page.
const SIGN_IN: [&str; 2] = ["/api/auth/dev-sign-in", "/sign-in/development"];

/// Where places are taken.
const HOLDS: [&str; 2] = ["/api/reservations", "/events/{id}"];
/// More accounts than this of one network that take places within an hour are told of.
const CROWD: u32 = 200;

/// A configuration that was found right.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen.
    pub address: SocketAddr,
    /// Scheme, host and port under which people reach it; links lead there.
    pub public_url: Option<String>,
    /// The SQLite file.
    pub database: PathBuf,
    /// How long places are held.
    pub hold: Duration,
    /// How long a payment guarantees its places.
    pub payment: Duration,
    /// The account with the role `admin`.
    pub admin_email: Option<String>,
    /// What signs sessions; made and kept beside the data when absent.
    pub session_secret: Option<Secret>,
    /// Whether this is development, where nobody else can come.
    pub is_development: bool,
    /// Whose `X-Forwarded-For` counts.
    pub trusted_proxies: TrustedProxies,
    /// Whose pages may call the API from a browser.
    pub cors_origins: Vec<String>,
    /// Requests a minute for each account; 0 is no limit.
    pub rate_limit_per_user: u32,
    /// Requests a minute for each address without an account; 0 is no limit.
    pub rate_limit_per_ip: u32,
    /// How the log is written.
    pub log_format: LogFormat,
    /// What is logged, as `RUST_LOG` says.
    pub log_filter: String,
    /// Whether demo data is loaded.
    pub demo: bool,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Label)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: one JSON object a line.
    Json,
}

impl Config {
    /// Reads flags, environment and file; `None` when there was only something to print.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn from_command_line() -> Result<Option<Self>, ConfigErrors> {
        let mut errors = Vec::new();
        let settings = Settings::said(&mut errors);
        let prints = settings.print_config;
        let config = Self::resolve(&settings, errors)?;
        if prints {
            // Whoever reads no further, as `head` does, has seen enough.
            write!(std::io::stdout(), "{config}").ok();
            return Ok(None);
        }
        Ok(Some(config))
    }

    /// The storage.
    pub fn storage(&self) -> Sqlite {
        Sqlite::file(&self.database)
    }

    /// The HTTP side.
    pub fn http(&self) -> HttpOptions {
        HttpOptions {
            only_https: !self.is_development,
            cors_origins: self.cors_origins.clone(),
            trusted_proxies: self.trusted_proxies.clone(),
            rate_limits: self.rate_limits(),
            metrics: true,
            ..HttpOptions::listen(self.address)
        }
    }

    fn rate_limits(&self) -> RateLimitLayer {
        let limits = RateLimitLayer::per_minute(self.rate_limit_per_user, self.rate_limit_per_ip);
        // Who takes places under many names is told of; how many one customer may have is the show's to say.
        let limits =
            if limits.is_off() { limits } else { limits.crowds(CROWD, Duration::from_hours(1), HOLDS) };
        let guarded = SIGN_IN.into_iter().filter(|_| self.rate_limit_per_ip > 0);
        guarded.fold(limits, |limits, route| limits.guarded(route, Rate::per_minute(10)))
    }

    /// The payment gateway: the development gateway, with its books beside the data at `database`.
    ///
    /// # Errors
    /// When its books cannot be opened, or are damaged.
    pub fn gateway(database: &Path) -> Result<SimulatedGateway, BoxError> {
        let path = beside(database, "gateway.jsonl");
        let ledger = Ledger::open(&path).map_err(|error| {
            let shown = path.display();
            if error.kind() == ErrorKind::InvalidData {
                return format!("{shown} is damaged, {error}");
            }
            format!(
                "{shown} cannot be used ({error}): let this user write there, or name another DATABASE_URL"
            )
        })?;
        Ok(SimulatedGateway::new(ledger, Arc::new(SystemClock)))
    }

    /// What signs sessions: what was said, or what is kept beside the data at `database`.
    ///
    /// # Errors
    /// When it cannot be read or made.
    pub fn secret(&self, database: &Path) -> Result<Secret, BoxError> {
        match &self.session_secret {
            Some(secret) => Ok(secret.clone()),
            None => Secret::kept_in(&beside(database, "secret")),
        }
    }
}

/// What is kept beside the database: its whole name, so that two databases never share it, and what it is.
fn beside(database: &Path, what: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".");
    name.push(what);
    name.into()
}

/// As `--print-config` shows it, with secrets masked.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "app_env = \"development\"")?;
        writeln!(f, "http_addr = \"{}\"", self.address)?;
        match &self.public_url {
            Some(url) => writeln!(f, "public_url = {url:?}")?,
            None => writeln!(f, "# public_url is not set: links name the listen address")?,
        }
        writeln!(f, "database_url = \"sqlite://{}\"", self.database.display())?;
        writeln!(f, "hold_seconds = {}", self.hold.as_secs())?;
        writeln!(f, "payment_seconds = {}", self.payment.as_secs())?;
        match &self.admin_email {
            Some(email) => writeln!(f, "admin_email = {email:?}")?,
            None => writeln!(f, "# admin_email is not set")?,
        }
        match &self.session_secret {
            Some(_) => writeln!(f, "session_secret = \"(hidden)\"")?,
            None => writeln!(f, "# session_secret is made and kept beside the data")?,
        }
        writeln!(f, "trusted_proxies = \"{}\"", self.trusted_proxies)?;
        writeln!(f, "cors_origins = \"{}\"", self.cors_origins.join(","))?;
        writeln!(f, "rate_limit_per_user = {}", self.rate_limit_per_user)?;
        writeln!(f, "rate_limit_per_ip = {}", self.rate_limit_per_ip)?;
        writeln!(f, "log_format = \"{}\"", self.log_format)?;
        writeln!(f, "rust_log = {:?}", self.log_filter)?;
        writeln!(f, "demo = {}", self.demo)
    }
}
