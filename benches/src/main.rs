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
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Where the databases are made; a temporary folder if absent.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Leave the reference out: for a profiler.
    #[arg(long)]
    ours_only: bool,
}

fn main() -> Outcome<()> {
    let Suite::Embedded(settings) = Arguments::parse().suite;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let lines = runtime.block_on(embedded::run(&settings))?;
    report::finish(&lines, &settings)
}
