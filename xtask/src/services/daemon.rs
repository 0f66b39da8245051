//! A program that goes on after the task has ended: its number is noted, so that a later task can stop it.
//!
//! Not here: PostgreSQL, which brings a program of its own for this.

use super::{READY_WITHIN, Service, failed, now, pause};
use crate::step::Error;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Starts a program in the service's folder; what it prints goes to the log.
pub(super) fn start(service: &Service, command: &mut Command) -> Result<Child, Error> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut start = || -> io::Result<Child> {
        let log = fs::File::create(service.log())?;
        let child = command
            .current_dir(&service.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl+C is for the task, not for what it has started.
            .process_group(0)
            .spawn()?;
        fs::write(service.folder.join("pid"), child.id().to_string())?;
        Ok(child)
    };
    start().map_err(failed(&name))
}

/// Stops the program and waits for its end; `mark` is in its command line and in no other's.
pub(super) fn stop(service: &Service, mark: &str) -> Result<(), Error> {
    let note = service.folder.join("pid");
    let Ok(pid) = fs::read_to_string(&note) else { return Ok(()) };
    let runs = || command_line(&pid).is_some_and(|line| line.contains(mark));
    let start = now();
    while runs() {
        if now().duration_since(start) > READY_WITHIN {
            let (log, why) = (service.log().display().to_string(), "it does not stop".to_owned());
            return Err(Error::NotReady { service: service.kind.name(), why, log });
        }
        // Asking again does no harm, and covers a program that was not ready to hear it.
        Command::new("kill").arg(&pid).stderr(Stdio::null()).status().map_err(failed("kill"))?;
        pause();
    }
    fs::remove_file(note).map_err(failed("forget the process"))?;
    eprintln!("{} is stopped", service.kind.name());
    Ok(())
}

/// With what a process was started, if it still is there.
fn command_line(pid: &str) -> Option<String> {
    if Path::new("/proc/self").exists() {
        let line = fs::read(Path::new("/proc").join(pid).join("cmdline")).ok()?;
        return Some(String::from_utf8_lossy(&line).replace('\0', " "));
    }
    let ps = Command::new("ps").args(["-p", pid, "-o", "command="]).output().ok()?;
    Some(String::from_utf8_lossy(&ps.stdout).into_owned())
}
