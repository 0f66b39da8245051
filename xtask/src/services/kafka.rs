//! A Kafka broker that is its own controller, from Maven Central; it runs on Java 17 or newer.
//!
//! Topics are not made by mentioning them: an adapter makes each with the partitions that it wants.

use super::{Service, daemon, failed};
use crate::packages;
use crate::step::{Error, Step};
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command};

/// One version, here and in a container.
pub(super) const VERSION: &str = "4.1.1";
/// Sixteen bytes in base64, as a cluster is called.
const CLUSTER: &str = "composable-rust-kafkaA";
/// Its libraries would say a great deal.
const QUIET: &str = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn";
/// The oldest Java that this broker runs on.
const JAVA: u32 = 17;

/// How to connect.
pub(super) fn brokers(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

/// What is in the command line of this broker and of no other program.
pub(super) fn mark(folder: &Path) -> String {
    folder.join("server.properties").display().to_string()
}

/// What the broker is told, here and in a container; `inner` and `controller` are where it listens.
pub(super) fn settings(inner: &str, controller: &str, port: u16) -> Vec<(&'static str, String)> {
    let own = |name: &'static str, value: &str| (name, value.to_owned());
    vec![
        own("node.id", "1"),
        own("process.roles", "broker,controller"),
        ("listeners", format!("PLAINTEXT://{inner},CONTROLLER://{controller}")),
        ("advertised.listeners", format!("PLAINTEXT://127.0.0.1:{port}")),
        own("controller.listener.names", "CONTROLLER"),
        own("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"),
        ("controller.quorum.voters", format!("1@{controller}")),
        own("auto.create.topics.enable", "false"),
        own("group.initial.rebalance.delay.ms", "0"),
        // The broker's own topics, on one node.
        own("offsets.topic.num.partitions", "8"),
        own("offsets.topic.replication.factor", "1"),
        own("transaction.state.log.replication.factor", "1"),
        own("transaction.state.log.min.isr", "1"),
        own("share.coordinator.state.topic.replication.factor", "1"),
        own("share.coordinator.state.topic.min.isr", "1"),
    ]
}

/// Fetches what is missing, and starts it.
pub(super) fn start(service: &Service) -> Result<Child, Error> {
    java()?;
    libraries(&service.folder)?;
    let folder = &service.folder;
    let properties = folder.join("server.properties");
    let controller = free_port().map_err(failed("choose a port"))?;
    let mut settings = settings(&brokers(service.port), &brokers(controller), service.port);
    settings.push(("log.dirs", folder.join("data").display().to_string()));
    let lines: Vec<_> = settings.into_iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    fs::write(&properties, lines.concat()).map_err(failed("write server.properties"))?;

    let format = format!("format --ignore-formatted -t {CLUSTER} -c {}", properties.display());
    Step::program(
        "Kafka: a place for its data",
        "java",
        &format!("{QUIET} -cp libs/* kafka.tools.StorageTool {format}"),
    )
    .folder(folder)
    .aside()
    .run()?;
    let mut command = Command::new("java");
    command.args([
        "-Xmx512m",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-cp",
        "libs/*",
        "kafka.Kafka",
    ]);
    daemon::start(service, command.arg(properties))
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Java, new enough.
fn java() -> Result<(), Error> {
    for package in ["default-jre-headless", "openjdk-17-jre-headless"] {
        if java_version().is_some_and(|version| version >= JAVA) {
            return Ok(());
        }
        packages::install("Java", package)?;
    }
    let how = "start a container engine, or install it (Debian: apt-get install openjdk-17-jre-headless; macOS: brew \
               install openjdk), or set TEST_KAFKA_BROKERS to a broker of your own";
    java_version()
        .filter(|version| *version >= JAVA)
        .map(|_| ())
        .ok_or(Error::Missing { what: "Java 17", how })
}

fn java_version() -> Option<u32> {
    let told = Command::new("java").arg("-version").output().ok()?;
    version_in(&String::from_utf8_lossy(&told.stderr))
}

/// The first number of what `java -version` says.
fn version_in(text: &str) -> Option<u32> {
    let version = text.split('"').nth(1)?;
    version.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

/// The broker's jars, once.
fn libraries(folder: &Path) -> Result<(), Error> {
    let done = folder.join("libs").join(format!("kafka_2.13-{VERSION}.jar"));
    if done.exists() {
        return Ok(());
    }
    let answers = || Step::program("", "mvn", "--version").answers();
    if !answers() {
        packages::install("Maven", "maven")?;
    }
    if !answers() {
        let how = "start a container engine, or install it (Debian: apt-get install maven; macOS: brew install maven), \
                   or set TEST_KAFKA_BROKERS to a broker of your own";
        return Err(Error::Missing { what: "Maven, which fetches Kafka", how });
    }
    let dependency = |group: &str, name: &str, version: &str| {
        format!(
            "<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version></dependency>"
        )
    };
    let broker = dependency("org.apache.kafka", "kafka_2.13", VERSION);
    // Without it the broker says nothing.
    let words = dependency("org.slf4j", "slf4j-simple", "1.7.36");
    let project = format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>\
         <groupId>local</groupId><artifactId>kafka</artifactId><version>1</version>\
         <dependencies>{broker}{words}</dependencies></project>\n"
    );
    fs::write(folder.join("pom.xml"), project).map_err(failed("write pom.xml"))?;
    let command = "-B -q dependency:copy-dependencies -DoutputDirectory=fetched";
    Step::program("Kafka: its libraries", "mvn", command).folder(folder).aside().run()?;
    // Half a download must not look like a whole one.
    _ = fs::remove_dir_all(folder.join("libs"));
    fs::rename(folder.join("fetched"), folder.join("libs")).map_err(failed("move the libraries of Kafka"))
}

#[cfg(test)]
mod tests {
    use super::version_in;

    #[test]
    fn the_version_of_java_is_read() {
        assert_eq!(version_in("openjdk version \"17.0.15\" 2025-04-15\nOpenJDK Runtime"), Some(17));
        assert_eq!(version_in("openjdk version \"21\" 2023-09-19"), Some(21));
        assert_eq!(version_in("java version \"1.8.0_361\""), Some(1));
        assert_eq!(version_in("command not found"), None);
    }
}
