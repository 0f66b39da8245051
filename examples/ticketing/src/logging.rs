//! Where the log goes: to standard error, for people or for programs; with colours only where somebody looks on.

use crate::config::{Config, LogFormat};
use composable_rust::runtime::BoxError;
use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;

/// Begins to log.
///
/// # Errors
/// When the filter cannot be understood.
pub fn start(config: &Config) -> Result<(), BoxError> {
    let filter = EnvFilter::try_new(&config.log_filter).map_err(|error| format!("RUST_LOG: {error}"))?;
    let is_colourful =
        std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty());
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(is_colourful);
    match config.log_format {
        // What happened comes first, and the request that it belongs to last.
        LogFormat::Text => log.compact().try_init(),
        LogFormat::Json => log.json().try_init(),
    }
}
