//! `cargo xtask`: the development tasks that need more than one cargo command.
//!
//! It runs other programs and reports on them; it checks nothing itself. The house rules are tests in
//! `xtask/tests/tidy/`, so that `cargo test` is enough to learn of a violation.

mod fuzz;
mod lint;
mod packages;
mod prove;
mod services;
mod step;
mod test;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Development tasks of Composable Rust.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Check what the tests need, then run all of them.
    Test,
    /// Format, clippy, rustdoc, every feature alone, and the dependency rules.
    Lint,
    /// Run the long versions of simulation, kills and races, and fuzz the API.
    Prove(prove::Options),
    /// Start, stop or look at PostgreSQL, Redis and Kafka, for tests and for development.
    Services(services::Options),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Test => test::run(),
        Task::Lint => lint::run(),
        Task::Prove(options) => prove::run(&options),
        Task::Services(options) => services::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\ncargo xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
