//! The real program: started on a free port with data of its own, stopped in order or killed.

use std::fs::{File, read_to_string};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A running ticketing program; killed when dropped.
pub(crate) struct Program {
    folder: TempDir,
    child: Child,
    address: String,
}

impl Program {
    /// Starts with demo data and no other.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (child, address) = launch(folder.path());
        Self { folder, child, address }
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it has printed and logged.
    pub(crate) fn log(&self) -> String {
        read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// The body of a page, read until the server closes.
    pub(crate) fn get(&self, path: &str) -> String {
        let mut socket = TcpStream::connect(&self.address).expect("a connection");
        write!(socket, "GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").expect("a request");
        let mut answer = String::new();
        socket.read_to_string(&mut answer).expect("an answer");
        answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).expect("a head and a body")
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn terminate(&mut self) {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status().expect("kill");
        assert!(asked.success());
        let status = self.child.wait().expect("an end");
        assert!(status.success(), "{status}: {}", self.log());
    }

    /// Starts it on the same data.
    pub(crate) fn start_again(&mut self) {
        (self.child, self.address) = launch(self.folder.path());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts the program and reads its address from what it prints.
fn launch(folder: &Path) -> (Child, String) {
    let log = File::create(folder.join("log")).expect("a log");
    let mut child = Command::new(env!("CARGO_BIN_EXE_ticketing"))
        .arg("--demo")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("DATABASE_URL", format!("sqlite://{}", folder.join("data/ticketing.db").display()))
        .env("PORT", "0")
        .stdout(Stdio::piped())
        .stderr(log.try_clone().expect("the same log"))
        .spawn()
        .expect("the program");
    let mut printed = Vec::new();
    let mut out = child.stdout.take().expect("its output");
    let mut byte = [0];
    while !printed.ends_with(b"\n") {
        assert_eq!(
            out.read(&mut byte).expect("its output"),
            1,
            "it ended: {}",
            read_to_string(folder.join("log")).unwrap_or_default()
        );
        printed.push(byte[0]);
        if printed.ends_with(b"\n") && !String::from_utf8_lossy(&printed).contains("listening on http://") {
            printed.clear();
        }
    }
    let line = String::from_utf8_lossy(&printed);
    let address = line.trim().rsplit("http://").next().expect("an address").to_owned();
    (child, address)
}
