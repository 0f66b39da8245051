//! What a task needs and this machine may lack: Debian's packages, installed where apt can and this user may.
//!
//! Not here: what comes from other registries; each task fetches that itself, into the target folder.

use crate::step::{Error, Step};
use std::process::Command;

/// Installs packages, if apt is here and this user is root; otherwise nothing happens, and whoever needed them says so.
///
/// # Errors
/// When apt fails; its output, above, says why.
pub(crate) fn install(title: &str, packages: &str) -> Result<(), Error> {
    if !is_root() || !Step::program("", "apt-get", "--version").answers() {
        return Ok(());
    }
    let apt = |title: String, arguments: &str| {
        Step::program(title, "apt-get", arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            // Packaged servers do not start by themselves: at run level 1 nothing does.
            .env("RUNLEVEL", 1)
            .aside()
    };
    // Where the lists cannot be renewed, older ones may do.
    _ = apt("Packages: what there is".to_owned(), "update -qq").run();
    let command = format!("install -y -qq --no-install-recommends {packages}");
    apt(format!("Packages: {title}"), &command).run()
}

/// Whether this is root, who installs packages, and for whom some servers refuse to run.
pub(crate) fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}
