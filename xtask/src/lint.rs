//! `cargo xtask lint`: what must hold besides the tests: format, clippy, rustdoc, features, dependencies.
//!
//! The house rules are not here; they are tests (`xtask/tests/tidy/`).

use crate::step::{Error, Step};

/// Each must build alone: a feature that only works beside another is a broken promise to its user.
const FACADE_FEATURES: [&str; 6] = ["sqlite", "postgres", "redpanda", "redis", "web", "testing"];

/// Runs every check; the cheapest first, the first failure ends the task.
///
/// # Errors
/// The first check that fails.
pub(crate) fn run() -> Result<(), Error> {
    Step::cargo("Format", "fmt --all --check").run()?;
    dependencies()?;
    Step::cargo("Clippy", "clippy --workspace --all-targets -- -D warnings").run()?;
    Step::cargo("Documentation", "doc --workspace --no-deps").env("RUSTDOCFLAGS", "-D warnings").run()?;

    facade("without features", "")?;
    for feature in FACADE_FEATURES {
        facade(&format!("with `{feature}` alone"), &format!("--features {feature}"))?;
    }
    Ok(())
}

/// Clippy rather than check: code that one feature leaves unused is found too.
fn facade(title: &str, features: &str) -> Result<(), Error> {
    let command = format!("clippy --package composable-rust --no-default-features {features} -- -D warnings");
    Step::cargo(format!("The facade {title}"), &command).run()
}

/// Bans, licences and sources (`deny.toml`). The advisory database needs a network, so the forge's workflow asks it.
fn dependencies() -> Result<(), Error> {
    if !Step::cargo("", "deny --version").answers() {
        eprintln!("\n== Dependency rules: SKIPPED, cargo-deny is not installed (`cargo install cargo-deny`)");
        return Ok(());
    }
    Step::cargo("Dependency rules", "deny --offline check bans licenses sources").run()
}
