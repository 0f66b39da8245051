//! One program run by a task: announced, timed, and an error that repeats the command line.
//!
//! Not a build system: steps run one after another and the first failure ends the task.

use std::{
    env,
    ffi::{OsStr, OsString},
    fmt,
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    time::Instant,
};

/// Why a task ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    /// The program ran and failed; its own output, above, says why.
    #[error("`{command}` failed ({status}); its output is above")]
    Failed { command: String, status: ExitStatus },
    /// The program could not be started: install it, or look at the cause.
    #[error("`{command}` could not be run: {source}")]
    NotRun { command: String, source: io::Error },
    /// Something the task needs is not on this machine.
    #[error("{what} is missing: {how}")]
    Missing { what: &'static str, how: &'static str },
    /// So little was asked that a pass would prove nothing.
    #[error("only {sent} requests were sent, of at least {least}")]
    TooFew { sent: u32, least: u32 },
    /// A server was started and cannot be used: its log says why.
    #[error("{service} is not ready: {why}; see {log}")]
    NotReady { service: &'static str, why: String, log: String },
    /// A filter that should select tests selects none, so a pass would prove nothing.
    #[error("{package} has no test whose name contains `{filter}`")]
    NothingToProve { package: &'static str, filter: &'static str },
}

/// A command to run in the workspace root.
#[derive(Debug)]
pub(crate) struct Step {
    title: String,
    command: Command,
}

impl Step {
    /// A run of this workspace's own cargo; `arguments` are separated by blanks.
    pub(crate) fn cargo(title: impl Into<String>, arguments: &str) -> Self {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        Self::program(title, &cargo, arguments)
    }

    /// A run of another program, found on the `PATH`.
    pub(crate) fn program(title: impl Into<String>, program: impl AsRef<OsStr>, arguments: &str) -> Self {
        let mut command = Command::new(program);
        command.args(arguments.split_whitespace()).current_dir(root());
        Self { title: title.into(), command }
    }

    /// Adds one argument, which may contain blanks.
    pub(crate) fn argument(mut self, argument: String) -> Self {
        self.command.arg(argument);
        self
    }

    /// Whether the program exists and answers; prints nothing.
    pub(crate) fn answers(mut self) -> bool {
        let quiet = self.command.stdout(Stdio::null()).stderr(Stdio::null());
        quiet.status().is_ok_and(|status| status.success())
    }

    /// Whether the program succeeds and says this; prints nothing.
    pub(crate) fn prints(mut self, text: &str) -> bool {
        let output = self.command.stderr(Stdio::null()).output();
        output.is_ok_and(|output| {
            output.status.success() && String::from_utf8_lossy(&output.stdout).contains(text)
        })
    }

    /// Shows what the program prints among the messages, where nobody takes it for the task's own output.
    pub(crate) fn aside(mut self) -> Self {
        self.command.stdout(io::stderr());
        self
    }

    /// Runs in this folder of the workspace, or in any folder if it is absolute.
    pub(crate) fn folder(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(root().join(folder));
        self
    }

    /// Sets an environment variable for this step alone.
    pub(crate) fn env(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.command.env(name, value.to_string());
        self
    }

    /// Runs the step; its output goes straight to the terminal.
    ///
    /// # Errors
    /// When the program cannot be started or does not exit with 0.
    pub(crate) fn run(mut self) -> Result<(), Error> {
        self.announce();
        let start = now();
        let status = self.command.status().map_err(|source| self.not_run(source))?;
        self.finish(status, start)
    }

    /// Runs the step, passes each line of its output on and hands it to `line` too.
    ///
    /// # Errors
    /// As [`Step::run`]; also when the output cannot be read.
    pub(crate) fn run_with(mut self, mut line: impl FnMut(&str)) -> Result<(), Error> {
        self.announce();
        let start = now();
        self.command.stdout(Stdio::piped());
        let mut child = self.command.spawn().map_err(|source| self.not_run(source))?;
        let copied = match child.stdout.take() {
            Some(output) => copy(BufReader::new(output), &mut line),
            None => Ok(()),
        };
        let status = child.wait().map_err(|source| self.not_run(source))?;
        copied.map_err(|source| self.not_run(source))?;
        self.finish(status, start)
    }

    fn announce(&self) {
        eprintln!("\n== {}\n   {}", self.title, self.line());
    }

    fn finish(&self, status: ExitStatus, start: Instant) -> Result<(), Error> {
        let seconds = now().duration_since(start).as_secs_f64();
        eprintln!("   {} after {seconds:.1} s", if status.success() { "done" } else { "FAILED" });
        if status.success() { Ok(()) } else { Err(Error::Failed { command: self.line(), status }) }
    }

    fn not_run(&self, source: io::Error) -> Error {
        Error::NotRun { command: self.line(), source }
    }

    /// The command as one would type it.
    fn line(&self) -> String {
        let program = Path::new(self.command.get_program()).file_name().unwrap_or_default();
        let words = std::iter::once(program).chain(self.command.get_args());
        let variables = self.command.get_envs().filter_map(|(name, value)| {
            Some(format!("{}={:?}", name.to_string_lossy(), value?.to_string_lossy()))
        });
        variables.chain(words.map(|word| word.to_string_lossy().into_owned())).collect::<Vec<_>>().join(" ")
    }
}

/// Copies line by line, so that the terminal shows progress while it happens.
fn copy(output: impl BufRead, line: &mut impl FnMut(&str)) -> io::Result<()> {
    let mut terminal = io::stdout().lock();
    for text in output.split(b'\n') {
        let text = String::from_utf8_lossy(&text?).into_owned();
        writeln!(terminal, "{text}")?;
        line(&text);
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a task tells a person how long its steps take")]
fn now() -> Instant {
    Instant::now()
}

/// The folder of the workspace.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// Where cargo puts what it builds, which a variable may say.
pub(crate) fn build_folder() -> PathBuf {
    root().join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}
