//! From what was said to what holds, with everything that is wrong.

use super::{Config, LogFormat, Settings};
use crate::shared::Secret;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// Shortest secret that may sign sessions.
const SHORTEST_SECRET: usize = 32;
/// Longest hold and payment: a day.
const LONGEST_SECONDS: u32 = 24 * 60 * 60;
const PROXIES: &str = "addresses and networks such as 10.0.0.0/8, separated by commas";

/// Everything that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<String>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration is wrong:")?;
        self.0.iter().try_for_each(|error| write!(f, "\n  - {error}"))
    }
}

impl std::error::Error for ConfigErrors {}

impl Config {
    /// The configuration that these settings make.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn resolve(settings: &Settings) -> Result<Self, ConfigErrors> {
        let mut errors = Vec::new();
        let is_development = check_environment(settings, &mut errors);
        let address = address(settings, &mut errors);
        if is_development && !address.ip().is_loopback() {
            errors.push(format!(
                "HTTP_ADDR {address} can be reached from other machines, and development has sign-in for anybody: \
                 listen on 127.0.0.1"
            ));
        }
        check_features(settings, &mut errors);
        let config = Self {
            address,
            database: database(settings, &mut errors),
            hold: seconds("HOLD_SECONDS", settings.hold_seconds, 300, &mut errors),
            payment: seconds("PAYMENT_SECONDS", settings.payment_seconds, 600, &mut errors),
            admin_email: said(settings.admin_email.as_deref()).map(str::to_lowercase),
            session_secret: secret(settings, &mut errors),
            is_development,
            trusted_proxies: said(settings.trusted_proxies.as_deref())
                .and_then(|text| parsed("TRUSTED_PROXIES", text, PROXIES, &mut errors))
                .unwrap_or_default(),
            cors_origins: origins(settings),
            rate_limit_per_user: settings.rate_limit_per_user.unwrap_or(if is_development { 0 } else { 100 }),
            rate_limit_per_ip: settings.rate_limit_per_ip.unwrap_or(if is_development { 0 } else { 20 }),
            log_format: said(settings.log_format.as_deref())
                .and_then(|text| parsed("LOG_FORMAT", text, "text or json", &mut errors))
                .unwrap_or(LogFormat::Text),
            log_filter: said(settings.rust_log.as_deref()).unwrap_or("info").to_owned(),
            demo: settings.demo,
        };
        if errors.is_empty() { Ok(config) } else { Err(ConfigErrors(errors)) }
    }
}

/// What was said; a variable that is set to nothing counts as not set.
fn said(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

fn parsed<T: FromStr>(name: &str, text: &str, example: &str, errors: &mut Vec<String>) -> Option<T> {
    let value = text.parse().ok();
    if value.is_none() {
        errors.push(format!("{name} is {text:?}: write {example}"));
    }
    value
}

/// Whether this is development; elsewhere there is nothing yet that could sign people in or move money.
fn check_environment(settings: &Settings, errors: &mut Vec<String>) -> bool {
    let name = said(settings.app_env.as_deref()).unwrap_or("development");
    match name {
        "development" => return true,
        "staging" | "production" => {
            let only = format!("is offered in development only, not with APP_ENV={name}");
            errors.push(format!("this build's only sign-in is development sign-in, which {only}"));
            errors.push(format!("this build's only payment gateway is the simulated one, which {only}"));
            if said(settings.session_secret.as_deref()).is_none() {
                errors.push(format!("SESSION_SECRET is missing: it is required with APP_ENV={name}"));
            }
        }
        _ => errors.push(format!("APP_ENV is {name:?}: write development, staging or production")),
    }
    false
}

fn address(settings: &Settings, errors: &mut Vec<String>) -> SocketAddr {
    if let Some(text) = said(settings.http_addr.as_deref()) {
        let text = text.replace("localhost", "127.0.0.1");
        let address = parsed("HTTP_ADDR", &text, "an address and a port such as 127.0.0.1:8080", errors);
        return address.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    }
    let host = said(settings.host.as_deref()).filter(|host| *host != "localhost").unwrap_or("127.0.0.1");
    let host = parsed::<IpAddr>("HOST", host, "an IP address such as 127.0.0.1", errors);
    SocketAddr::from((host.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)), settings.port.unwrap_or(8080)))
}

fn database(settings: &Settings, errors: &mut Vec<String>) -> PathBuf {
    let url = said(settings.database_url.as_deref()).unwrap_or("sqlite://data/ticketing.db");
    let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"));
    match path.filter(|path| !path.is_empty()) {
        Some(path) => return PathBuf::from(path),
        None if url.starts_with("postgres:") || url.starts_with("postgresql:") => errors.push(
            "DATABASE_URL names PostgreSQL, which needs the cargo feature `production`; it is not compiled in".into(),
        ),
        None => errors.push("DATABASE_URL is none: write sqlite:// and a path, such as sqlite://data/ticketing.db".into()),
    }
    PathBuf::new()
}

fn check_features(settings: &Settings, errors: &mut Vec<String>) {
    let needing = [
        ("KAFKA_BROKERS", &settings.kafka_brokers),
        ("REDPANDA_BROKERS", &settings.redpanda_brokers),
        ("REDIS_URL", &settings.redis_url),
    ];
    for (name, _) in needing.into_iter().filter(|(_, value)| said(value.as_deref()).is_some()) {
        errors.push(format!("{name} needs the cargo feature `production`; it is not compiled in"));
    }
}

fn origins(settings: &Settings) -> Vec<String> {
    let text = said(settings.cors_origins.as_deref()).unwrap_or_default();
    text.split(',').map(str::trim).filter(|origin| !origin.is_empty()).map(str::to_owned).collect()
}

fn seconds(name: &str, said: Option<u32>, default: u32, errors: &mut Vec<String>) -> Duration {
    let seconds = said.unwrap_or(default);
    if !(1..=LONGEST_SECONDS).contains(&seconds) {
        errors.push(format!("{name} is {seconds}: write 1 to {LONGEST_SECONDS}"));
    }
    Duration::from_secs(seconds.into())
}

fn secret(settings: &Settings, errors: &mut Vec<String>) -> Option<Secret> {
    let text = said(settings.session_secret.as_deref())?;
    if text.len() < SHORTEST_SECRET {
        errors
            .push(format!("SESSION_SECRET has {} characters: write at least {SHORTEST_SECRET}", text.len()));
    }
    Some(Secret::new(text.as_bytes()))
}
