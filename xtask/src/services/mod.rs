//! `cargo xtask services`: PostgreSQL, Redis and a Kafka broker on loopback, for tests and for development.
//!
//! Where a container engine runs they are containers, else programs of this machine (installed from Debian's packages
//! where apt can) and, for Kafka, of Maven Central. Their data is in `target/services/` or in the containers and outlives
//! `down`. For nothing else: passwords are known to everybody and nothing listens beyond loopback.

mod daemon;
mod docker;
mod kafka;
mod postgres;
mod probe;
mod redis;

use crate::step::{Error, root};
use clap::ValueEnum;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

/// How long a server may take until it answers; a machine that is busy compiling needs most of it.
const READY_WITHIN: Duration = Duration::from_mins(2);
/// How often it is asked.
const PAUSE: Duration = Duration::from_millis(100);

/// What to do, with which servers.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    task: Task,
    /// Only these; separated by commas.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Kind>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Task {
    /// Start what does not run yet, wait until it answers, and print the variables for the tests.
    Up,
    /// Stop what runs; the data stays.
    Down,
    /// Say what runs.
    Status,
}

/// A server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// The production storage.
    Postgres,
    /// Shared limits, cached reads and sessions.
    Redis,
    /// The bus: one broker that is its own controller.
    Kafka,
}

/// A server with the place of its data and its port.
#[derive(Debug, Clone)]
struct Service {
    kind: Kind,
    folder: PathBuf,
    port: u16,
}

/// Does what the options say.
///
/// # Errors
/// When something is missing on this machine, or a server does not start.
pub(crate) fn run(options: &Options) -> Result<(), Error> {
    let kinds = if options.only.is_empty() { Kind::value_variants() } else { &options.only };
    let lines = match options.task {
        Task::Up => {
            let line = |(name, value): &(&str, String)| format!("export {name}={value}");
            let mut lines: Vec<_> = up(kinds)?.iter().map(line).collect();
            lines.push(
                "# for a program: DATABASE_URL, REDIS_URL and KAFKA_BROKERS, with the same values".to_owned(),
            );
            lines
        }
        Task::Down => {
            exclusively(|| services(kinds)?.iter().try_for_each(Service::stop)).map(|()| Vec::new())?
        }
        Task::Status => services(kinds)?.iter().map(Service::status).collect(),
    };
    say(&lines);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a shell reads it: eval \"$(cargo xtask services up)\"")]
fn say(lines: &[String]) {
    for line in lines {
        println!("{line}");
    }
}

/// The variables that name the servers to the tests. A server that a variable names already is not ours and not started.
///
/// # Errors
/// As [`run`].
pub(crate) fn for_tests() -> Result<Vec<(&'static str, String)>, Error> {
    let unnamed = |kind: &Kind| std::env::var_os(kind.variables()[0]).is_none();
    let kinds: Vec<_> = Kind::value_variants().iter().copied().filter(unnamed).collect();
    up(&kinds)
}

/// Starts all of them, then waits for all.
fn up(kinds: &[Kind]) -> Result<Vec<(&'static str, String)>, Error> {
    exclusively(|| {
        let services = services(kinds)?;
        let mut started = Vec::new();
        for service in &services {
            if let Err(why) = service.probe() {
                eprintln!("\n== {}: {why}; starting it at {}", service.kind.name(), service.url());
                started.push((service, service.start()?));
            }
        }
        for (service, program) in &mut started {
            service.wait(program.as_mut())?;
            eprintln!("   {} is ready", service.kind.name());
        }
        Ok(services.iter().flat_map(Service::environment).collect())
    })
}

/// One task at a time, of all that run beside each other in this checkout.
fn exclusively<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    let folder = root().join("target/services");
    let lock = fs::create_dir_all(&folder).and_then(|()| File::create(folder.join("lock")));
    let locked = lock.and_then(|lock| lock.lock().map(|()| lock)).map_err(failed("lock target/services"));
    let done = locked.map(|lock| (work(), lock))?;
    done.0
}

fn services(kinds: &[Kind]) -> Result<Vec<Service>, Error> {
    kinds.iter().map(|kind| Service::of(*kind)).collect()
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Redis => "redis",
            Self::Kafka => "kafka",
        }
    }

    /// What names it to the tests; the address first.
    fn variables(self) -> &'static [&'static str] {
        match self {
            Self::Postgres => &["TEST_DATABASE_URL"],
            Self::Redis => &["TEST_REDIS_URL"],
            Self::Kafka => &["TEST_KAFKA_BROKERS", "TEST_KAFKA_LIBS"],
        }
    }

    /// Where it listens unless somebody else does: not the usual port, where a developer's own server may be.
    fn usual_port(self) -> u16 {
        match self {
            Self::Postgres => 15_432,
            Self::Redis => 16_379,
            Self::Kafka => 19_092,
        }
    }
}

impl Service {
    /// Its folder, and the port that it got when it was first needed.
    fn of(kind: Kind) -> Result<Self, Error> {
        let folder = root().join("target/services").join(kind.name());
        let port = port_in(&folder, kind.usual_port()).map_err(failed("choose a port"))?;
        Ok(Self { kind, folder, port })
    }

    fn url(&self) -> String {
        match self.kind {
            Kind::Postgres => postgres::url(self.port),
            Kind::Redis => redis::url(self.port),
            Kind::Kafka => kafka::brokers(self.port),
        }
    }

    fn status(&self) -> String {
        let state = self.probe().err().unwrap_or_else(|| "it runs".to_owned());
        format!("{}: {state}, at {}", self.kind.name(), self.url())
    }

    /// The variables with their values; the libraries of the broker are for tests that run, kill and restart their own.
    fn environment(&self) -> Vec<(&'static str, String)> {
        let libraries = self.folder.join("libs").display().to_string();
        self.kind.variables().iter().copied().zip([self.url(), libraries]).collect()
    }

    /// Whether it answers in its own protocol; otherwise why not.
    fn probe(&self) -> Result<(), String> {
        match self.kind {
            Kind::Postgres => probe::postgres(self.port),
            Kind::Redis => probe::redis(self.port, redis::PASSWORD),
            Kind::Kafka => probe::kafka(self.port),
        }
    }

    /// Starts it and does not wait; the program, unless another program looks after it.
    fn start(&self) -> Result<Option<Child>, Error> {
        if docker::runs() {
            return docker::start(self).map(|()| None);
        }
        match self.kind {
            Kind::Postgres => postgres::start(self).map(|()| None),
            Kind::Redis => redis::start(self).map(Some),
            Kind::Kafka => kafka::start(self).map(Some),
        }
    }

    /// Asks until it answers.
    fn wait(&self, mut program: Option<&mut Child>) -> Result<(), Error> {
        let start = now();
        loop {
            let Err(why) = self.probe() else { return Ok(()) };
            let ended = program.as_mut().and_then(|program| program.try_wait().ok().flatten());
            let why = ended.map_or(why, |status| format!("it has ended ({status})"));
            if ended.is_some() || now().duration_since(start) > READY_WITHIN {
                let log = self.log().display().to_string();
                return Err(Error::NotReady { service: self.kind.name(), why, log });
            }
            pause();
        }
    }

    fn stop(&self) -> Result<(), Error> {
        if docker::stop(self)? {
            return Ok(());
        }
        match self.kind {
            Kind::Postgres => postgres::stop(self),
            Kind::Redis => daemon::stop(self, &redis::mark(self.port)),
            Kind::Kafka => daemon::stop(self, &kafka::mark(&self.folder)),
        }
    }

    /// What the server says.
    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }
}

/// The port that is noted in the folder; in a new one the usual port if it is free, or else any that is.
fn port_in(folder: &Path, usual: u16) -> std::io::Result<u16> {
    let note = folder.join("port");
    let noted = fs::read_to_string(&note).ok().and_then(|text| text.trim().parse().ok());
    if let Some(port) = noted {
        return Ok(port);
    }
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let port = bind(usual).or_else(|_| bind(0))?.local_addr()?.port();
    fs::create_dir_all(folder)?;
    fs::write(note, port.to_string())?;
    Ok(port)
}

/// What a failed call on the machine is in a task's words.
fn failed(doing: &str) -> impl FnOnce(std::io::Error) -> Error {
    let command = doing.to_owned();
    move |source| Error::NotRun { command, source }
}

/// Between two questions to a program that cannot call us.
fn pause() {
    std::thread::park_timeout(PAUSE);
}

#[expect(clippy::disallowed_methods, reason = "a server of this machine is waited for in the machine's time")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_is_not_chosen_and_a_choice_is_kept() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let usual = taken.local_addr().expect("its address").port();
        let folder = std::env::temp_dir().join(format!("composable-rust-port-{usual}"));
        let chosen = port_in(&folder, usual).expect("another port");
        assert_ne!(chosen, usual);
        drop(taken);
        assert_eq!(port_in(&folder, usual).expect("the same"), chosen);
        fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn a_server_that_does_not_answer_says_why() {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = free.local_addr().expect("its address").port();
        drop(free);
        for probe in [probe::postgres(port), probe::redis(port, "x"), probe::kafka(port)] {
            assert!(probe.expect_err("nobody listens").contains("does not run"));
        }
    }
}
