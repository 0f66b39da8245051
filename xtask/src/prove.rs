//! `cargo xtask prove`: the long versions of the tests that draw at random.
//!
//! The convention: a test that has a long version reads `PROVE_SECONDS` and draws new cases until that
//! time is over; without the variable it runs its short version, as `cargo test` and CI do.

use crate::fuzz;
use crate::step::{Error, Step};
use clap::ValueEnum;

/// The package that holds the long tests, in its integration test `it`.
const PACKAGE: &str = "ticketing";

/// How often the program is killed at least, however few minutes there are.
const KILLS: u64 = 100;

/// What to prove, and for how long.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Minutes for each kind; the kinds run one after another.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=10_080))]
    minutes: u64,
    /// Only this kind.
    #[arg(long)]
    only: Option<Kind>,
}

/// A family of long tests.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// The whole application under virtual time, from new seeds.
    Simulation,
    /// The real binary, killed at a hundred random points or more under a load of every operation.
    Kills,
    /// Many buyers for the last places, through HTTP.
    Races,
    /// The API against its description: 10,000 requests of each role, however long they take.
    Fuzz,
}

impl Kind {
    /// Its long version.
    fn prove(self, minutes: u64) -> Result<(), Error> {
        // The tests of a kind have its word in their path.
        match self {
            Self::Simulation => prove("simulation", minutes),
            Self::Kills => prove("kill", minutes),
            Self::Races => prove("race", minutes),
            Self::Fuzz => fuzz::run(fuzz::Extent::Long),
        }
    }
}

/// Runs the chosen kinds; tests in release mode.
///
/// # Errors
/// When a test fails (its output names the seed), a kind has no test, or the API is not as described.
pub(crate) fn run(options: &Options) -> Result<(), Error> {
    let kinds = options.only.as_ref().map_or(Kind::value_variants(), std::slice::from_ref);
    for kind in kinds {
        kind.prove(options.minutes)?;
    }
    Ok(())
}

fn prove(filter: &'static str, minutes: u64) -> Result<(), Error> {
    let program = format!("test --release --package {PACKAGE} --test it {filter} --");
    let mut tests = 0_u32;
    Step::cargo(format!("Tests named {filter}"), &format!("{program} --list --format terse"))
        .run_with(|line| tests += u32::from(line.ends_with(": test")))?;
    if tests == 0 {
        return Err(Error::NothingToProve { package: PACKAGE, filter });
    }
    Step::cargo(format!("Prove {filter} for {minutes} min"), &format!("{program} --nocapture"))
        .env("PROVE_SECONDS", minutes * 60)
        .env("PROVE_KILLS", KILLS)
        .run()
}
