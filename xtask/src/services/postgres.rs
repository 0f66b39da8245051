//! PostgreSQL as a cluster of its own, of whichever version this machine has.
//!
//! Its durability stays as in production: a test that kills it must find what it has acknowledged.

use super::{Service, failed};
use crate::packages::{self, is_root};
use crate::step::{Error, Step};
use std::fs;
use std::path::{Path, PathBuf};

/// Of the user `postgres`; known to everybody.
const PASSWORD: &str = "postgres";
/// For three instances, and tests beside each other.
const CONNECTIONS: u32 = 300;

/// How to connect, as the owner of everything.
pub(super) fn url(port: u16) -> String {
    format!("postgres://postgres:{PASSWORD}@127.0.0.1:{port}/postgres")
}

/// What the server is started with, here and in a container.
pub(super) fn settings() -> [String; 3] {
    [format!("max_connections={CONNECTIONS}"), "fsync=on".to_owned(), "synchronous_commit=on".to_owned()]
}

/// The variables of the container.
pub(super) fn container() -> Vec<String> {
    vec![format!("POSTGRES_PASSWORD={PASSWORD}")]
}

/// Makes the cluster where there is none, and starts it.
pub(super) fn start(service: &Service) -> Result<(), Error> {
    let programs = programs()?;
    let data = data(service)?;
    let log = data.with_file_name("log");
    if !data.join("PG_VERSION").exists() {
        let password = data.with_file_name("password");
        fs::write(&password, PASSWORD).map_err(failed("write the password for initdb"))?;
        let arguments = format!(
            "-D {} -U postgres --pwfile={} --auth=scram-sha-256 --encoding=UTF8 --locale=C",
            data.display(),
            password.display()
        );
        unprivileged("PostgreSQL: a new cluster", &programs.join("initdb"), &arguments).run()?;
    }
    let sockets = ["listen_addresses=127.0.0.1".to_owned(), "unix_socket_directories=".to_owned()];
    let settings: Vec<_> =
        sockets.into_iter().chain(settings()).map(|setting| format!("-c {setting}")).collect();
    let arguments = format!("start -W -D {} -l {} -o", data.display(), log.display());
    unprivileged("PostgreSQL: start", &programs.join("pg_ctl"), &arguments)
        .argument(format!("-p {} {}", service.port, settings.join(" ")))
        .run()
}

/// Ends the sessions and stops the cluster.
pub(super) fn stop(service: &Service) -> Result<(), Error> {
    let found = [service.folder.join("data"), elsewhere(service.port)];
    let Some(data) = found.iter().find(|data| data.join("postmaster.pid").exists()) else { return Ok(()) };
    let arguments = format!("stop -m fast -D {}", data.display());
    unprivileged("PostgreSQL: stop", &programs()?.join("pg_ctl"), &arguments).run()
}

/// A folder for the cluster that its user can reach, with nothing but ours beside it.
fn data(service: &Service) -> Result<PathBuf, Error> {
    let data = service.folder.join("data");
    if !is_root() || data.join("PG_VERSION").exists() {
        return Ok(data);
    }
    for folder in [service.folder.clone(), elsewhere(service.port).with_file_name("")] {
        fs::create_dir_all(&folder).map_err(failed("make a folder for PostgreSQL"))?;
        Step::program("", "chown", &format!("postgres {}", folder.display())).answers();
        let reaches = Step::program("", "runuser", &format!("-u postgres -- test -w {}", folder.display()));
        if reaches.folder("/").answers() {
            return Ok(folder.join("data"));
        }
    }
    let how = "let the user `postgres` reach this checkout, or run this task as a user that is not root";
    Err(Error::Missing { what: "a folder for PostgreSQL", how })
}

/// For a checkout that only root can reach, such as one in root's home.
fn elsewhere(port: u16) -> PathBuf {
    Path::new("/var/tmp").join(format!("composable-rust-postgres-{port}")).join("data")
}

/// PostgreSQL refuses to run as root; its package has made a user for it.
fn unprivileged(title: &str, program: &Path, arguments: &str) -> Step {
    let step = if is_root() {
        Step::program(title, "runuser", &format!("-u postgres -- {} {arguments}", program.display()))
    } else {
        Step::program(title, program, arguments)
    };
    step.folder("/").aside()
}

/// The folder of the newest server on this machine, installed if there is none.
fn programs() -> Result<PathBuf, Error> {
    if let Some(folder) = find() {
        return Ok(folder);
    }
    packages::install("PostgreSQL", "postgresql")?;
    let how = "start a container engine, or install it (Debian: apt-get install postgresql; macOS: brew install \
               postgresql), or set TEST_DATABASE_URL to a server of your own";
    find().ok_or(Error::Missing { what: "PostgreSQL", how })
}

/// Debian and Homebrew keep each version in a folder of its own; others have one on the path.
fn find() -> Option<PathBuf> {
    let versions = |folder: &str, inside: &'static str| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries
            .map(move |entry| entry.path().join(inside))
            .filter(|folder| is_server(folder))
            .collect::<Vec<_>>()
    };
    let mut found = versions("/usr/lib/postgresql", "bin");
    for homebrew in ["/opt/homebrew/opt", "/usr/local/opt"] {
        found.extend(versions(homebrew, "bin"));
    }
    found.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    found.pop().or_else(|| std::env::split_paths(&path).find(|folder| is_server(folder)))
}

fn is_server(folder: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres"].iter().all(|program| folder.join(program).exists())
}
