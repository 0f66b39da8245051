//! What was said on the command line, in the environment and in a file; not yet whether it is right.

#![expect(clippy::doc_markdown, reason = "the text of a field is its --help, which shows angle brackets")]

use super::said::Said;
use clap::Parser;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Sells tickets without ever overselling. Needs no service: data is kept in a local file.
// Every value is text: what is wrong with one must not hide what is wrong with another.
#[derive(Debug, Clone, Default, Parser)]
#[command(name = "ticketing", version)]
#[group(skip)]
pub struct Settings {
    /// Address to listen on; port 0 picks a free one [default: 127.0.0.1:8080]
    #[arg(long, env = "HTTP_ADDR")]
    pub http_addr: Option<String>,
    /// Host to listen on, where no address is given [default: 127.0.0.1]
    #[arg(long, env = "HOST")]
    pub host: Option<String>,
    /// Port to listen on, where no address is given [default: 8080]
    #[arg(long, env = "PORT")]
    pub port: Option<String>,
    /// Where people reach it, such as `https://shop.example`: links lead there; without it they name no host
    #[arg(long, env = "PUBLIC_URL")]
    pub public_url: Option<String>,
    /// Where data is kept; the folder is made [default: sqlite://data/ticketing.db]
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Kafka brokers: not in this build yet, leave it unset; events are announced within the process
    #[arg(long, env = "KAFKA_BROKERS")]
    pub kafka_brokers: Option<String>,
    /// Another name for the same
    #[arg(long, env = "REDPANDA_BROKERS", hide = true)]
    pub redpanda_brokers: Option<String>,
    /// Redis: not in this build yet, leave it unset; limits and caches are kept in the process
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    pub redis_url: Option<String>,
    /// How long places are held for an order that nobody pays, in seconds [default: 300]
    #[arg(long, env = "HOLD_SECONDS")]
    pub hold_seconds: Option<String>,
    /// How long a started payment guarantees its places, in seconds [default: 600]
    #[arg(long, env = "PAYMENT_SECONDS")]
    pub payment_seconds: Option<String>,
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
    pub rate_limit_per_user: Option<String>,
    /// Requests a minute for each address without an account; 0 is no limit [default: 20; 0 in development]
    #[arg(long, env = "RATE_LIMIT_PER_IP")]
    pub rate_limit_per_ip: Option<String>,
    /// text or json [default: text; json outside development]
    #[arg(long, env = "LOG_FORMAT")]
    pub log_format: Option<String>,
    /// What is logged [default: info]
    #[arg(long, env = "RUST_LOG")]
    pub rust_log: Option<String>,
    /// A TOML file with any of the above, such as `hold_seconds = 60`
    #[arg(long, env = "CONFIG_FILE")]
    pub config: Option<PathBuf>,
    /// Load demo data, once
    #[arg(long)]
    pub demo: bool,
    /// Print the configuration with secrets masked, and end
    #[arg(long)]
    pub print_config: bool,
}

impl Settings {
    /// What the command line, the environment and the file say, the first that says something about a setting.
    /// Whatever is wrong is noted, and the rest is heard even so; `--help` and `--version` print and end the program.
    pub(super) fn said(errors: &mut Vec<String>) -> Self {
        let mut settings = Self::default();
        let flags = Said::by_flags(&mut settings, errors);
        settings.fill(&flags, errors);
        let variables = Said::by_variables(&mut settings, errors);
        settings.fill(&variables, errors);
        let file = Said::by_file(&mut settings, errors);
        settings.fill(&file, errors);
        settings
    }

    /// Takes what nobody has said before. Nothing, as in `HOLD_SECONDS=`, is not said.
    fn fill(&mut self, said: &Said, errors: &mut Vec<String>) {
        let texts = || said.texts.iter().filter(|(_, text)| !text.trim().is_empty());
        // An address is a host and a port: a port that was said before stays, beside this host.
        for (_, text) in texts().filter(|(name, _)| name == "http_addr") {
            match text.trim().replace("localhost", "127.0.0.1").parse::<SocketAddr>() {
                Ok(address) => {
                    self.host.get_or_insert_with(|| address.ip().to_string());
                    self.port.get_or_insert_with(|| address.port().to_string());
                }
                Err(_) if self.host.is_some() && self.port.is_some() => {}
                Err(_) => errors.push(format!(
                    "HTTP_ADDR is {text:?}: write an address and a port such as 127.0.0.1:8080"
                )),
            }
        }
        for (name, text) in texts() {
            match self.place(name) {
                Some(place) => drop(place.get_or_insert_with(|| text.clone())),
                None => errors.push(format!(
                    "{}{name} is not a setting: take it out, or write one of those that --help lists, in small letters",
                    said.by
                )),
            }
        }
    }

    fn place(&mut self, name: &str) -> Option<&mut Option<String>> {
        Some(match name {
            "http_addr" => &mut self.http_addr,
            "host" => &mut self.host,
            "port" => &mut self.port,
            "public_url" => &mut self.public_url,
            "database_url" => &mut self.database_url,
            "kafka_brokers" => &mut self.kafka_brokers,
            "redpanda_brokers" => &mut self.redpanda_brokers,
            "redis_url" => &mut self.redis_url,
            "hold_seconds" => &mut self.hold_seconds,
            "payment_seconds" => &mut self.payment_seconds,
            "admin_email" => &mut self.admin_email,
            "session_secret" => &mut self.session_secret,
            "app_env" => &mut self.app_env,
            "trusted_proxies" => &mut self.trusted_proxies,
            "cors_origins" => &mut self.cors_origins,
            "rate_limit_per_user" => &mut self.rate_limit_per_user,
            "rate_limit_per_ip" => &mut self.rate_limit_per_ip,
            "log_format" => &mut self.log_format,
            "rust_log" => &mut self.rust_log,
            _ => return None,
        })
    }
}
