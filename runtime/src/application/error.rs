//! Why an application does not start or stop.

use crate::BoxError;
use composable_rust_core::describe;
use composable_rust_core::port::StoreError;
use std::fmt;

/// One thing that is wrong with an application's declaration, and the line that mends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub problem: String,
    /// What to write.
    pub fix: String,
}

impl Finding {
    /// A finding.
    pub fn new(problem: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { problem: problem.into(), fix: fix.into() }
    }
}

/// Why an application does not start or stop.
///
/// Its `Debug` is its text with all causes: that is what Rust prints when `main` returns it.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ApplicationError {
    /// The declaration has faults. Write the lines that the text names; all faults are listed.
    #[error("{}", list(.0))]
    Invalid(Vec<Finding>),
    /// Storage cannot be opened. Do what the cause says.
    #[error("the storage cannot be opened")]
    Storage(#[source] StoreError),
    /// A service, such as the HTTP server, cannot start. Do what the cause says.
    #[error("{service} cannot start")]
    Service {
        /// Its name.
        service: &'static str,
        /// The cause.
        #[source]
        source: BoxError,
    },
    /// What [`ApplicationBuilder::run`](crate::ApplicationBuilder::run) was given to do once it had started failed, with
    /// this. Everything was stopped in order.
    #[error(transparent)]
    Ready(BoxError),
    /// Not everything ended in time; what was under way is taken up at the next start.
    #[error("not everything ended within the drain timeout: {}", .0.join(", "))]
    DrainTimeout(Vec<String>),
    /// A second signal ended the shutdown at once. It is as after a crash: the next start goes on with what was under way.
    #[error("ended at once by a second signal: the next start goes on with what was under way")]
    CutShort,
}

impl fmt::Debug for ApplicationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&describe(self))
    }
}

fn list(findings: &[Finding]) -> String {
    use fmt::Write;
    let mut text = format!("the application has {} fault(s):", findings.len());
    for (number, finding) in findings.iter().enumerate() {
        let _ = write!(text, "\n  {}. {}\n     → {}", number + 1, finding.problem, finding.fix);
    }
    text
}
