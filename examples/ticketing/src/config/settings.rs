//! What was said on the command line, in the environment and in a file; not yet whether it is right.

#![expect(clippy::doc_markdown, reason = "the text of a field is its --help, which shows angle brackets")]

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Sells tickets without ever overselling. Needs no service: data is kept in a local file.
// Every value is text: what is wrong with one must not hide what is wrong with another.
#[derive(Debug, Clone, Default, Parser)]
#[command(name = "ticketing", version)]
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
    /// What the command line and the environment say. Flags that are unknown are noted, and the rest is heard even so;
    /// `--help` and `--version` print and end the program.
    pub(super) fn said(errors: &mut Vec<String>) -> Self {
        let mut arguments: Vec<_> = std::env::args_os().collect();
        loop {
            match Self::try_parse_from(&arguments) {
                Ok(settings) => return settings,
                Err(wrong) if !wrong.use_stderr() => wrong.exit(),
                Err(wrong) => {
                    errors.push(told(&wrong));
                    let Some(unknown) = place_of_unknown(&wrong, &arguments) else { return Self::default() };
                    arguments.remove(unknown);
                }
            }
        }
    }

    /// Takes from the file what neither a flag nor the environment says, and notes what is wrong with the file.
    pub(super) fn add_file(&mut self, errors: &mut Vec<String>) {
        let Some(path) = self.config.clone() else { return };
        let shown = path.display();
        match read(&path) {
            Ok(table) => {
                for (name, value) in table {
                    if let Err(wrong) = self.add(&name, value) {
                        errors.push(format!("{shown}: {wrong}"));
                    }
                }
            }
            Err(wrong) => errors.push(format!("{shown}: {wrong}")),
        }
    }

    fn add(&mut self, name: &str, value: Value) -> Result<(), String> {
        if name == "demo" {
            let wrong = || format!("demo is of the kind {}: write true or false", value.type_str());
            self.demo |= value.as_bool().ok_or_else(wrong)?;
            return Ok(());
        }
        let place = self.place(name).ok_or_else(|| {
            format!("{name} is not a setting: take it out, or write one of those that --help lists, in small letters")
        })?;
        let text = match value {
            Value::String(text) => text,
            Value::Integer(number) => number.to_string(),
            Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) | Value::Array(_) | Value::Table(_) => {
                return Err(format!(
                    "{name} is of the kind {}: write a text or a whole number",
                    value.type_str()
                ));
            }
        };
        place.get_or_insert(text);
        Ok(())
    }

    fn place(&mut self, name: &str) -> Option<&mut Option<String>> {
        Some(match name {
            "http_addr" => &mut self.http_addr,
            "host" => &mut self.host,
            "port" => &mut self.port,
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

/// Where the argument stands that clap does not know.
fn place_of_unknown(wrong: &clap::Error, arguments: &[OsString]) -> Option<usize> {
    let unknown = match wrong.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(text)) if wrong.kind() == ErrorKind::UnknownArgument => text,
        Some(_) | None => return None,
    };
    // Of `--unknown=3` clap names the flag alone.
    arguments
        .iter()
        .skip(1)
        .position(|said| said.to_string_lossy().starts_with(unknown))
        .map(|place| place + 1)
}

/// What clap found, without the usage; of a value that is no text it does not say whose it is.
fn told(wrong: &clap::Error) -> String {
    if wrong.kind() == ErrorKind::InvalidUtf8 {
        let is_wrong = |name: &&OsStr| std::env::var_os(name).is_some_and(|value| value.to_str().is_none());
        let command = Settings::command();
        let names = command.get_arguments().filter_map(clap::Arg::get_env).filter(is_wrong);
        let names: Vec<_> = names.map(OsStr::to_string_lossy).collect();
        let names = if names.is_empty() { "an argument".to_owned() } else { names.join(", ") };
        return format!("{names}: write it in UTF-8");
    }
    let text = wrong.to_string();
    let text = text.split("Usage:").next().unwrap_or_default().trim_start_matches("error: ");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("{text}: --help lists what can be written")
}

fn read(path: &Path) -> Result<Table, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("the file cannot be read ({error}): write the path of a TOML file"))?;
    text.parse().map_err(|error| format!("this is not TOML: {error}"))
}
