//! The programs that are measured: the real ticketing binary as an operator starts it, and the bare reference.

use super::client::{Answer, Connection, Request};
use crate::Outcome;
use crate::measure::number;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// No limit that anybody reaches, and yet one that is counted, as in production.
pub(super) const HIGH: &str = "1000000";

/// A program that listens on a socket of this machine. It is killed with this.
#[derive(Debug)]
pub(super) struct Program {
    child: Child,
    pub(super) address: SocketAddr,
    /// Where the ticketing program keeps its data.
    _folder: Option<TempDir>,
}

/// Finds the ticketing binary beside this program, where cargo builds it for the same profile.
///
/// # Errors
/// When it cannot be built.
pub(super) fn built() -> Outcome<PathBuf> {
    let folder = std::env::current_exe()?.parent().map(Path::to_owned).unwrap_or_default();
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build
        .args(["build", "--quiet", "-p", "ticketing", "--bin", "ticketing"])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    let binary = folder.join("ticketing");
    let hint = "build it with `cargo build --release -p ticketing` and name it with --binary";
    let status = build.status().map_err(|error| format!("cargo cannot be started ({error}): {hint}"))?;
    if !status.success() || !binary.exists() {
        return Err(format!("{} was not built: {hint}", binary.display()).into());
    }
    Ok(binary)
}

impl Program {
    /// Starts ticketing on a fresh SQLite file, behind a proxy on this machine; what it logs goes to a file.
    /// `per_user` and `per_address` are the operator's rate limits.
    ///
    /// # Errors
    /// When it does not come to listen.
    pub(super) fn ticketing(binary: &Path, (per_user, per_address): (&str, &str)) -> Outcome<Self> {
        let folder = TempDir::new()?;
        let mut command = Command::new(binary.canonicalize()?);
        command.current_dir(folder.path()).env_clear().stderr(File::create(folder.path().join("log"))?).envs(
            [
                ("PORT", "0"),
                ("TRUSTED_PROXIES", "127.0.0.1/32"),
                ("RATE_LIMIT_PER_USER", per_user),
                ("RATE_LIMIT_PER_IP", per_address),
            ],
        );
        Self::start(&mut command, Some(folder))
    }

    /// Starts the reference: an axum route that answers `body`.
    ///
    /// # Errors
    /// When it does not come to listen.
    pub(super) fn bare(body: &str) -> Outcome<Self> {
        Self::start(Command::new(std::env::current_exe()?).args([OsStr::new("bare"), OsStr::new(body)]), None)
    }

    fn start(command: &mut Command, folder: Option<TempDir>) -> Outcome<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        if let Some(output) = child.stdout.as_mut() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let address = line.trim().strip_prefix("listening on http://").and_then(|text| text.parse().ok());
        let Some(address) = address else {
            let log = folder.as_ref().map(|folder| std::fs::read_to_string(folder.path().join("log")));
            return Err(format!("the program says {line:?}\n{}", log.transpose()?.unwrap_or_default()).into());
        };
        Ok(Self { child, address, _folder: folder })
    }

    /// A connection of its own.
    pub(super) const fn connection(&self) -> Connection {
        Connection::new(self.address)
    }

    /// Asks once.
    ///
    /// # Errors
    /// When there is no answer.
    ///
    /// # Cancel safety
    /// The server may have done what was asked.
    pub(super) async fn ask(&self, request: Request) -> Outcome<Answer> {
        self.connection().send(&request.bytes()).await
    }

    /// Memory in use, in MiB (`VmRSS`).
    ///
    /// # Errors
    /// Where the system does not tell.
    pub(super) fn memory(&self) -> Outcome<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        let kib: usize = line.trim().trim_end_matches(" kB").parse()?;
        Ok(number(kib) / 1024.0)
    }

    /// Ends it as an operator does.
    ///
    /// # Errors
    /// When it does not end in good order.
    pub(super) fn stop(mut self) -> Outcome<()> {
        Command::new("kill").arg(self.child.id().to_string()).status()?;
        let status = self.child.wait()?;
        if status.success() { Ok(()) } else { Err(format!("the program ended with {status}").into()) }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
