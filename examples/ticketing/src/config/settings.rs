//! What was said on the command line, in the environment and in a file; not yet whether it is right.

#![expect(clippy::doc_markdown, reason = "the text of a field is its --help, which shows angle brackets")]

use super::ConfigErrors;
use clap::Parser;
use serde::Deserialize;
use std::path::PathBuf;

/// Sells tickets without ever overselling. Needs no service: data is kept in a local file.
#[derive(Debug, Clone, Default, Parser, Deserialize)]
#[command(name = "ticketing", version)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Address to listen on; port 0 picks a free one [default: 127.0.0.1:8080]
    #[arg(long, env = "HTTP_ADDR")]
    pub http_addr: Option<String>,
    /// Host to listen on, where no address is given [default: 127.0.0.1]
    #[arg(long, env = "HOST")]
    pub host: Option<String>,
    /// Port to listen on, where no address is given [default: 8080]
    #[arg(long, env = "PORT")]
    pub port: Option<u16>,
    /// Where data is kept; the folder is made [default: sqlite://data/ticketing.db]
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Kafka brokers, separated by commas; without them events are announced within the process
    #[arg(long, env = "KAFKA_BROKERS")]
    pub kafka_brokers: Option<String>,
    /// Another name for the same
    #[arg(long, env = "REDPANDA_BROKERS", hide = true)]
    pub redpanda_brokers: Option<String>,
    /// Redis for limits and caches; without it they are kept in the process
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    pub redis_url: Option<String>,
    /// How long places are held for an order that nobody pays, in seconds [default: 300]
    #[arg(long, env = "HOLD_SECONDS")]
    pub hold_seconds: Option<u32>,
    /// How long a started payment guarantees its places, in seconds [default: 600]
    #[arg(long, env = "PAYMENT_SECONDS")]
    pub payment_seconds: Option<u32>,
    /// E-mail of the account with the role admin
    #[arg(long, env = "ADMIN_EMAIL")]
    pub admin_email: Option<String>,
    /// What signs sessions, at least 32 characters; in development it is made and kept beside the data
    #[arg(long, env = "SESSION_SECRET", hide_env_values = true)]
    pub session_secret: Option<String>,
    /// development, staging or production [default: development]
    #[arg(long, env = "APP_ENV")]
    pub app_env: Option<String>,
    /// Proxies whose X-Forwarded-For counts: addresses and networks such as 10.0.0.0/8, separated by commas
    #[arg(long, env = "TRUSTED_PROXIES")]
    pub trusted_proxies: Option<String>,
    /// Origins whose pages may call the API from a browser, such as `https://shop.example`, separated by commas
    #[arg(long, env = "CORS_ORIGINS")]
    pub cors_origins: Option<String>,
    /// Requests a minute for each account; 0 is no limit [default: 100; 0 in development]
    #[arg(long, env = "RATE_LIMIT_PER_USER")]
    pub rate_limit_per_user: Option<u32>,
    /// Requests a minute for each address without an account; 0 is no limit [default: 20; 0 in development]
    #[arg(long, env = "RATE_LIMIT_PER_IP")]
    pub rate_limit_per_ip: Option<u32>,
    /// text or json [default: text; json outside development]
    #[arg(long, env = "LOG_FORMAT")]
    pub log_format: Option<String>,
    /// What is logged [default: info]
    #[arg(long, env = "RUST_LOG")]
    pub rust_log: Option<String>,
    /// A TOML file with any of the above, such as `hold_seconds = 60`
    #[arg(long, env = "CONFIG_FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// Load demo data, once
    #[arg(long)]
    pub demo: bool,
    /// Print the configuration with secrets masked, and end
    #[arg(long)]
    #[serde(skip)]
    pub print_config: bool,
}

impl Settings {
    /// With what the file says where neither a flag nor the environment says anything.
    ///
    /// # Errors
    /// When the file cannot be read or understood.
    pub(super) fn with_file(self) -> Result<Self, ConfigErrors> {
        let Some(path) = &self.config else { return Ok(self) };
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string());
        let file = text.and_then(|text| toml::from_str::<Self>(&text).map_err(|error| error.to_string()));
        let file = file.map_err(|error| ConfigErrors(vec![format!("{}: {error}", path.display())]))?;
        Ok(self.or(file))
    }

    fn or(self, file: Self) -> Self {
        Self {
            http_addr: self.http_addr.or(file.http_addr),
            host: self.host.or(file.host),
            port: self.port.or(file.port),
            database_url: self.database_url.or(file.database_url),
            kafka_brokers: self.kafka_brokers.or(file.kafka_brokers),
            redpanda_brokers: self.redpanda_brokers.or(file.redpanda_brokers),
            redis_url: self.redis_url.or(file.redis_url),
            hold_seconds: self.hold_seconds.or(file.hold_seconds),
            payment_seconds: self.payment_seconds.or(file.payment_seconds),
            admin_email: self.admin_email.or(file.admin_email),
            session_secret: self.session_secret.or(file.session_secret),
            app_env: self.app_env.or(file.app_env),
            trusted_proxies: self.trusted_proxies.or(file.trusted_proxies),
            cors_origins: self.cors_origins.or(file.cors_origins),
            rate_limit_per_user: self.rate_limit_per_user.or(file.rate_limit_per_user),
            rate_limit_per_ip: self.rate_limit_per_ip.or(file.rate_limit_per_ip),
            log_format: self.log_format.or(file.log_format),
            rust_log: self.rust_log.or(file.rust_log),
            config: self.config,
            demo: self.demo || file.demo,
            print_config: self.print_config,
        }
    }
}
