//! Why an application does not start or stop.

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
#[derive(Debug, thiserror::Error)]
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
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Not everything ended in time; what was under way is taken up at the next start.
    #[error("not everything ended within the drain timeout: {}", .0.join(", "))]
    DrainTimeout(Vec<String>),
}

fn list(findings: &[Finding]) -> String {
    use fmt::Write;
    let mut text = format!("the application has {} fault(s):", findings.len());
    for (number, finding) in findings.iter().enumerate() {
        let _ = write!(text, "\n  {}. {}\n     → {}", number + 1, finding.problem, finding.fix);
    }
    text
}
