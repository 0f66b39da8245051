//! Where the log goes: to standard error, for people or for programs.

use crate::config::{Config, LogFormat};
use composable_rust::runtime::BoxError;
use tracing_subscriber::EnvFilter;

/// Begins to log.
///
/// # Errors
/// When the filter cannot be understood.
pub fn start(config: &Config) -> Result<(), BoxError> {
    let filter = EnvFilter::try_new(&config.log_filter).map_err(|error| format!("RUST_LOG: {error}"))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().try_init(),
    }
}
