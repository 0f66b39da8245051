//! Measures the framework, each case beside a bare limit measured in the same run on the same machine.
//!
//! `cargo run --release -p composable-rust-benches -- embedded [--json FILE]`. What pure code costs is measured by
//! criterion in `benches/`; not here.

mod alarms;
mod domain;
mod embedded;
mod measure;
mod report;

use clap::{Args, Parser, Subcommand};
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

/// Whatever ends a run: there is nothing to do about it but to say so.
type Failure = Box<dyn Error + Send + Sync>;
type Outcome<T> = Result<T, Failure>;

/// Measures the framework beside bare limits.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    suite: Suite,
}

#[derive(Debug, Subcommand)]
enum Suite {
    /// The framework on one SQLite file.
    Embedded(Settings),
}

/// How a suite is run.
#[derive(Debug, Args)]
struct Settings {
    /// Write one JSON object a line to this file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Only cases whose name contains this.
    #[arg(long)]
    only: Option<String>,
    /// Measured rounds of each case, each of ours and then of the reference; one more warms up.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Where the databases are made; a temporary folder if absent.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Leave the reference out: for a profiler.
    #[arg(long, conflicts_with = "json")]
    ours_only: bool,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report::failed(&*failure);
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome<()> {
    let Suite::Embedded(settings) = Arguments::parse().suite;
    report::check(&settings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let lines = runtime.block_on(embedded::run(&settings))?;
    report::finish(&lines, &settings)
}
