//! `cargo xtask test`: everything a newcomer needs to see all tests pass, and the total at the end.
//!
//! The tests need Rust, a C compiler (for the bundled SQLite), Chromium with its driver (for the storefront), which is
//! installed where Debian's packages can be, Python (for the short fuzz run of the API), and the servers of
//! [`services`], which are started where no variable names others, and left running.

use crate::fuzz::{self, Extent};
use crate::step::{Error, Step};
use crate::{packages, services};
use std::fmt;

/// Checks what the tests need, runs them all, and prints one total.
///
/// # Errors
/// When a tool is missing or a test fails; the others run even so.
pub(crate) fn run() -> Result<(), Error> {
    // rustup has installed the toolchain of rust-toolchain.toml by the time this line runs.
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    if !Step::program("", compiler, "--version").answers() {
        return Err(Error::Missing {
            what: "a C compiler, for the bundled SQLite",
            how: "install gcc or clang, or set CC",
        });
    }
    browser()?;
    fuzz::installed()?;
    let environment = services::for_tests()?;

    // One cargo run for all kinds: the documentation's examples alone would build every dependency again.
    let mut total = Total::default();
    let title = "Unit, integration and documentation tests (the first build takes minutes)";
    let tests = environment
        .iter()
        .fold(Step::cargo(title, "test --workspace --no-fail-fast"), |step, (name, value)| {
            step.env(name, value)
        })
        .run_with(|line| total.add(line));
    let fuzzed = fuzz::run(Extent::Short);
    if !environment.is_empty() {
        eprintln!(
            "\nThe servers are left running: the next run starts sooner. `cargo xtask services down` stops them."
        );
    }
    eprintln!("\n{total}");
    tests.and(fuzzed)
}

/// Chromium and its driver, with letters to write with.
fn browser() -> Result<(), Error> {
    let answers = || Step::program("", "chromedriver", "--version").answers();
    if answers() {
        return Ok(());
    }
    packages::install("Chromium", "chromium chromium-driver fonts-dejavu-core")?;
    let how = "install Chromium (or Chrome) and the chromedriver of the same version";
    if answers() {
        Ok(())
    } else {
        Err(Error::Missing { what: "chromedriver, for the tests of the storefront", how })
    }
}

/// The sum of the `test result:` lines of many test programs.
#[derive(Debug, Default, PartialEq)]
struct Total {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Total {
    fn add(&mut self, line: &str) {
        let Some(result) = line.trim_start().strip_prefix("test result:") else { return };
        for part in result.split([';', '.']) {
            let mut words = part.split_whitespace();
            let (Some(Ok(count)), Some(kind)) = (words.next().map(str::parse::<u64>), words.next()) else {
                continue;
            };
            match kind {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.skipped += count,
                _ => {}
            }
        }
    }
}

impl fmt::Display for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_the_result_lines_of_all_programs() {
        let mut total = Total::default();
        total.add(
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
        );
        total.add(
            "test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 7 filtered out; finished in 1s",
        );
        total.add("test core::adds ... ok");
        assert_eq!(total, Total { passed: 7, failed: 2, skipped: 1 });
        assert_eq!(total.to_string(), "7 passed, 2 failed, 1 skipped");
    }
}
