//! The API against its own description: schemathesis asks the real program what the description allows and what it does
//! not, and compares the answers with it.
//!
//! What is asked and which exceptions there are is said beside the application (`examples/ticketing/tests/fuzz/`). Here it
//! is installed and run; a machine without Python, or without the packages, is an error and never a pass.

use crate::step::{Error, Step, build_folder, root};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// One version, so that a run means the same tomorrow.
const VERSION: &str = "4.32.5";
/// Where it is installed and where the program keeps its data, in the target folder.
const FOLDER: &str = "target/fuzz";
/// What is said about the application.
const RULES: &str = "examples/ticketing/tests/fuzz";
/// Who asks: somebody who finds shows of others on sale, and the one whose shows they are.
const ROLES: [&str; 2] = ["buyer@example.org", "organiser@example.org"];

/// How much is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Extent {
    /// Some hundred requests of each role, in less than a minute.
    Short,
    /// More than 10,000 requests of each role.
    Long,
}

impl Extent {
    /// Fewer requests of a role prove nothing.
    fn least(self) -> u32 {
        match self {
            Self::Short => 200,
            Self::Long => 10_000,
        }
    }

    /// The first requests of the long run go to the borders of every schema, the others are drawn.
    fn arguments(self) -> &'static str {
        match self {
            Self::Short => "--phases examples,fuzzing --max-examples 12",
            Self::Long => "--phases examples,coverage,fuzzing,stateful --max-examples 400",
        }
    }
}

/// How many requests `rules.py` says that it has sent.
fn told(line: &str) -> Option<u32> {
    line.strip_prefix("sent as ")?.strip_suffix(" requests")?.rsplit(' ').next()?.parse().ok()
}

/// Asks as every role.
///
/// # Errors
/// When Python or the packages are missing, or an answer is not as described; its output, above, says which.
pub(crate) fn run(extent: Extent) -> Result<(), Error> {
    let schemathesis = installed()?;
    Step::cargo("The program for the fuzz run", "build --package ticketing --bin ticketing").run()?;
    for role in ROLES {
        let program = Program::start(role)?;
        let rules = root().join(RULES);
        let command = format!(
            "--config-file {} run {}/api-docs/openapi.json --checks all --continue-on-failure --request-timeout 20 {}",
            rules.join("schemathesis.toml").display(),
            program.url,
            extent.arguments(),
        );
        let mut sent = 0;
        Step::program(format!("Fuzz the API as {role}"), &schemathesis, &command)
            .folder(FOLDER)
            .env("FUZZ_URL", &program.url)
            .env("FUZZ_EMAIL", role)
            .env("SCHEMATHESIS_HOOKS", rules.join("rules.py").display())
            .env("PYTHONDONTWRITEBYTECODE", 1)
            .run_with(|line| sent = told(line).unwrap_or(sent))?;
        if sent < extent.least() {
            return Err(Error::TooFew { sent, least: extent.least() });
        }
    }
    Ok(())
}

/// The program to run, installed where it is not yet.
///
/// # Errors
/// When Python or the packages are missing.
pub(crate) fn installed() -> Result<PathBuf, Error> {
    let program = root().join(FOLDER).join("venv/bin/schemathesis");
    if program.exists() && Step::program("", &program, "--version").prints(VERSION) {
        return Ok(program);
    }
    if !Step::program("", "python3", "-m venv --help").answers() {
        let how = "install Python 3.10 or newer with its module venv";
        return Err(Error::Missing { what: "python3, for the fuzz run of the API", how });
    }
    Step::program("Python packages: a folder for them", "python3", &format!("-m venv --clear {FOLDER}/venv"))
        .run()?;
    let pip = root().join(FOLDER).join("venv/bin/pip");
    let install = format!("install --quiet --disable-pip-version-check schemathesis=={VERSION}");
    Step::program("Python packages: schemathesis", pip, &install).run()?;
    Ok(program)
}

/// The ticket shop with its demo data, in a folder of its own, until it is dropped.
#[derive(Debug)]
struct Program {
    child: Child,
    url: String,
}

impl Program {
    fn start(role: &str) -> Result<Self, Error> {
        let folder = root().join(FOLDER).join("data").join(role);
        // What an earlier run has left; that there is nothing is fine.
        _ = std::fs::remove_dir_all(&folder);
        let started = Self::start_in(&folder);
        started.map_err(|source| Error::NotRun { command: "ticketing --demo".to_owned(), source })
    }

    fn start_in(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let log = std::fs::File::create(folder.join("log"))?;
        let mut child = Command::new(build_folder().join("debug/ticketing"))
            .arg("--demo")
            .current_dir(folder)
            .env_clear()
            .env("PORT", "0")
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()?;
        let mut line = String::new();
        if let Some(output) = child.stdout.as_mut() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let url = line.trim().strip_prefix("listening on ").map(str::to_owned);
        let program = Self { child, url: url.unwrap_or_default() };
        if program.url.is_empty() {
            let text = format!("it does not listen; see {}", folder.join("log").display());
            return Err(io::Error::other(text));
        }
        Ok(program)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn the_number_of_requests_is_read_off_the_last_line() {
        assert_eq!(told("sent as buyer@example.org: 9059 requests"), Some(9_059));
        assert_eq!(told("  9093 generated, 9093 passed"), None);
    }
}
