//! Where people reach the application. Not here: where it listens (`config.rs`).

use composable_rust::prelude::*;

/// Scheme, host and port, left in the [`Application`]: what the operator has said, or else the listen address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(pub String);

impl PublicUrl {
    /// A link to `path`; it names no host where nothing listens.
    pub fn link(app: &Application, path: String) -> String {
        match app.get::<Self>() {
            Some(url) => format!("{}{path}", url.0),
            None => path,
        }
    }
}
