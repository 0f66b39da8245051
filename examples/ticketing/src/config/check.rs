//! From what was said to what holds, with everything that is wrong.

use super::{Config, LogFormat, Settings};
use crate::shared::{Secret, is_email};
use composable_rust::prelude::*;
use composable_rust::web::is_origin;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// Shortest secret that may sign sessions.
const SHORTEST_SECRET: usize = 32;
/// Longest hold and payment: a day.
const LONGEST_SECONDS: u32 = 24 * 60 * 60;
/// Naming the feature is a part of the contract; promising it here would send people to a flag that is not there.
const NOT_YET: &str = "which this build does not have yet (it will come with the cargo feature `production`)";
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
    /// The configuration that these settings make; `errors` is what was wrong with saying them.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub(super) fn resolve(settings: &Settings, mut errors: Vec<String>) -> Result<Self, ConfigErrors> {
        let config = check(settings, &mut errors);
        if errors.is_empty() { Ok(config) } else { Err(ConfigErrors(errors)) }
    }
}

fn check(settings: &Settings, errors: &mut Vec<String>) -> Config {
    let is_development = check_environment(settings, errors);
    let address = address(settings, errors);
    if is_development && !address.ip().is_loopback() {
        errors.push(format!(
            "HTTP_ADDR {address} can be reached from other machines, and development has sign-in for anybody: \
             listen on 127.0.0.1"
        ));
    }
    check_features(settings, errors);
    let (per_user, per_ip) = if is_development { (0, 0) } else { (100, 20) };
    let log_format = if is_development { LogFormat::Text } else { LogFormat::Json };
    Config {
        address,
        public_url: public_url(settings, errors),
        database: database(settings, errors),
        hold: seconds("HOLD_SECONDS", settings.hold_seconds.as_deref(), 300, errors),
        payment: seconds("PAYMENT_SECONDS", settings.payment_seconds.as_deref(), 600, errors),
        admin_email: admin(settings, errors),
        session_secret: secret(settings, errors),
        is_development,
        trusted_proxies: parsed("TRUSTED_PROXIES", settings.trusted_proxies.as_deref(), PROXIES, errors)
            .unwrap_or_default(),
        cors_origins: origins(settings, errors),
        rate_limit_per_user: rate("RATE_LIMIT_PER_USER", settings.rate_limit_per_user.as_deref(), errors)
            .unwrap_or(per_user),
        rate_limit_per_ip: rate("RATE_LIMIT_PER_IP", settings.rate_limit_per_ip.as_deref(), errors)
            .unwrap_or(per_ip),
        log_format: parsed("LOG_FORMAT", settings.log_format.as_deref(), "text or json", errors)
            .unwrap_or(log_format),
        log_filter: log_filter(settings, errors),
        demo: settings.demo,
    }
}

/// What was said; a variable that is set to nothing counts as not set.
fn said(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// What was said as a value; `None` when nothing was said or it is wrong, which is noted.
fn parsed<T: FromStr>(name: &str, text: Option<&str>, example: &str, errors: &mut Vec<String>) -> Option<T> {
    let text = said(text)?;
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

/// Whoever says an address says both of these.
fn address(settings: &Settings, errors: &mut Vec<String>) -> SocketAddr {
    let host = settings.host.as_ref().map(|text| text.replace("localhost", "127.0.0.1"));
    let host = parsed("HOST", host.as_deref(), "an IP address such as 127.0.0.1", errors);
    let port = parsed("PORT", settings.port.as_deref(), "0 to 65535, where 0 picks a free port", errors);
    (host.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)), port.unwrap_or(8080)).into()
}

fn public_url(settings: &Settings, errors: &mut Vec<String>) -> Option<String> {
    let text = said(settings.public_url.as_deref())?;
    // Whoever copies it from a browser's address line has a slash behind it.
    let url = text.trim_end_matches('/');
    if !is_origin(url) {
        let example = "write scheme, host and port without a path, such as https://shop.example";
        errors.push(format!("PUBLIC_URL is {text:?}: {example}"));
    }
    Some(url.to_owned())
}

fn database(settings: &Settings, errors: &mut Vec<String>) -> PathBuf {
    let url = said(settings.database_url.as_deref()).unwrap_or("sqlite://data/ticketing.db");
    if url.starts_with("postgres:") || url.starts_with("postgresql:") {
        errors.push(format!(
            "DATABASE_URL names PostgreSQL, {NOT_YET}: write sqlite:// and the path of a file"
        ));
        return PathBuf::new();
    }
    let path = Sqlite::url(url).path().map(Path::to_owned);
    path.unwrap_or_else(|wrong| {
        errors.push(format!("DATABASE_URL: {wrong}"));
        PathBuf::new()
    })
}

fn check_features(settings: &Settings, errors: &mut Vec<String>) {
    let needing = [
        ("KAFKA_BROKERS", "Kafka", &settings.kafka_brokers),
        ("REDPANDA_BROKERS", "Kafka", &settings.redpanda_brokers),
        ("REDIS_URL", "Redis", &settings.redis_url),
    ];
    for (name, service, _) in needing.into_iter().filter(|(.., value)| said(value.as_deref()).is_some()) {
        errors.push(format!("{name} names {service}, {NOT_YET}: leave it unset, and it runs without"));
    }
}

fn admin(settings: &Settings, errors: &mut Vec<String>) -> Option<String> {
    let email = said(settings.admin_email.as_deref())?;
    if !is_email(email) {
        errors.push(format!("ADMIN_EMAIL is {email:?}: write an address such as admin@example.org"));
    }
    Some(email.to_lowercase())
}

fn origins(settings: &Settings, errors: &mut Vec<String>) -> Vec<String> {
    let text = said(settings.cors_origins.as_deref()).unwrap_or_default();
    let origins = text.split(',').map(str::trim).filter(|origin| !origin.is_empty());
    let origins: Vec<_> = origins.map(str::to_owned).collect();
    for origin in origins.iter().filter(|origin| !is_origin(origin)) {
        let example = "write scheme, host and port as a browser sends them, such as https://shop.example";
        errors.push(format!("CORS_ORIGINS has {origin:?}: {example}"));
    }
    origins
}

fn log_filter(settings: &Settings, errors: &mut Vec<String>) -> String {
    let filter = said(settings.rust_log.as_deref()).unwrap_or("info");
    if let Err(wrong) = EnvFilter::try_new(filter) {
        let example = "write a level such as info, or one for a part such as info,composable_rust=debug";
        errors.push(format!("RUST_LOG is {filter:?} ({wrong}): {example}"));
    }
    filter.to_owned()
}

fn rate(name: &str, text: Option<&str>, errors: &mut Vec<String>) -> Option<u32> {
    parsed(name, text, "how many requests a minute; 0 is no limit", errors)
}

fn seconds(name: &str, text: Option<&str>, default: u32, errors: &mut Vec<String>) -> Duration {
    let example = format!("1 to {LONGEST_SECONDS}");
    let seconds = parsed(name, text, &example, errors).unwrap_or(default);
    if !(1..=LONGEST_SECONDS).contains(&seconds) {
        errors.push(format!("{name} is {seconds}: write {example}"));
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
