//! Redis with a password and an append-only file.
//!
//! Not here: what the tests do when it is gone; they cut the line to it themselves.

use super::{Service, daemon, failed};
use crate::packages;
use crate::step::{Error, Step};
use std::fs;
use std::process::{Child, Command};

/// Known to everybody.
pub(super) const PASSWORD: &str = "redis";

/// How to connect.
pub(super) fn url(port: u16) -> String {
    format!("redis://:{PASSWORD}@127.0.0.1:{port}/0")
}

/// What the server is started with, here and in a container.
pub(super) fn settings() -> [&'static str; 4] {
    ["--requirepass", PASSWORD, "--appendonly", "yes"]
}

/// Its title once it runs.
pub(super) fn mark(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

/// Starts it.
pub(super) fn start(service: &Service) -> Result<Child, Error> {
    let answers = || Step::program("", "redis-server", "--version").answers();
    if !answers() {
        packages::install("Redis", "redis-server")?;
    }
    if !answers() {
        let how = "start a container engine, or install it (Debian: apt-get install redis-server; macOS: brew install \
                   redis), or set TEST_REDIS_URL to a server of your own";
        return Err(Error::Missing { what: "Redis", how });
    }
    let data = service.folder.join("data");
    fs::create_dir_all(&data).map_err(failed("make a folder for Redis"))?;
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--port", &service.port.to_string(), "--dir"]).arg(data);
    daemon::start(service, command.args(settings()))
}
