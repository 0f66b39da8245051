//! Measures the framework, each case beside a bare limit measured in the same run on the same machine.
//!
//! `cargo run --release -p composable-rust-benches -- embedded [--json FILE]`, and `http` for the whole program over
//! sockets. What pure code costs is measured by criterion in `benches/`; not here.

mod alarms;
mod domain;
mod embedded;
mod http;
mod measure;
mod report;

use clap::{Args, Parser, Subcommand};
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio::runtime::Builder;

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
    /// The ticketing program under load over sockets.
    Http(Http),
    /// The reference that the suite `http` starts for itself.
    #[command(hide = true)]
    Bare {
        /// What it answers.
        body: String,
    },
}

/// What is measured, and where the results go.
#[derive(Debug, Args)]
struct Output {
    /// Write one JSON object a line to this file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Only cases whose name contains this.
    #[arg(long)]
    only: Option<String>,
}

/// How the suite `embedded` is run.
#[derive(Debug, Args)]
struct Settings {
    #[command(flatten)]
    output: Output,
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

/// How the suite `http` is run.
#[derive(Debug, Args)]
struct Http {
    #[command(flatten)]
    output: Output,
    /// How long each scenario lasts, in seconds, without its preparation; each has a default of its own.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: Option<u64>,
    /// Arrivals a second at the peak of the rush.
    #[arg(long, default_value_t = 1_500, value_parser = clap::value_parser!(u32).range(1..))]
    peak: u32,
    /// The ticketing program; built in the profile of this one if absent.
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Draw the rush and the memory to this SVG file.
    #[arg(long)]
    plot: Option<PathBuf>,
}

impl Http {
    fn seconds(&self, default: Duration) -> Duration {
        self.seconds.map_or(default, Duration::from_secs)
    }
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
    match Arguments::parse().suite {
        Suite::Embedded(settings) => reported(
            &settings.output,
            async || embedded::run(&settings).await,
            &mut Builder::new_multi_thread(),
        ),
        // One thread: the client takes no more of the server's cores than it needs.
        Suite::Http(settings) => reported(
            &settings.output,
            async || http::run(&settings).await,
            &mut Builder::new_current_thread(),
        ),
        Suite::Bare { body } => Builder::new_multi_thread().enable_all().build()?.block_on(http::serve(body)),
    }
}

fn reported(
    output: &Output,
    measure: impl AsyncFnOnce() -> Outcome<Vec<measure::Line>>,
    runtime: &mut Builder,
) -> Outcome<()> {
    report::check(output)?;
    let lines = runtime.enable_all().build()?.block_on(measure())?;
    report::finish(&lines, output)
}
