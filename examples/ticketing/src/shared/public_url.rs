//! Where people reach the application. Not here: where it listens (`config.rs`).

use composable_rust::prelude::*;

/// Scheme, host and port, left in the [`Application`] when the operator has said it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(pub String);

impl PublicUrl {
    /// A link to `path`; without a public URL it names no host.
    pub fn link(app: &Application, path: String) -> String {
        match app.get::<Self>() {
            Some(url) => format!("{}{path}", url.0),
            None => path,
        }
    }
}
