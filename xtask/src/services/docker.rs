//! The servers as containers, where an engine runs. Stopped, they keep their data.
//!
//! No compose file: three containers that know nothing of each other need none, and ports are chosen here.

use super::{Kind, Service, kafka, postgres, redis};
use crate::step::{Error, Step};

/// Whether an engine answers; the client alone is of no use.
pub(super) fn runs() -> bool {
    Step::program("", "docker", "info").answers()
}

/// Starts the container, made where there is none.
pub(super) fn start(service: &Service) -> Result<(), Error> {
    let name = name(service);
    if Step::program("", "docker", &format!("container inspect {name}")).answers() {
        Step::program(format!("Container {name}: start"), "docker", &format!("start {name}"))
            .aside()
            .run()?;
    } else {
        let title = format!("Container {name}: run (the first time its image is fetched)");
        let step = Step::program(title, "docker", "run --detach").aside();
        run_arguments(service, &name).into_iter().fold(step, Step::argument).run()?;
    }
    libraries(service, &name)
}

/// Stops the container; whether there is one that runs.
pub(super) fn stop(service: &Service) -> Result<bool, Error> {
    let name = name(service);
    let runs = format!("container inspect --format {{{{.State.Running}}}} {name}");
    if !Step::program("", "docker", &runs).prints("true") {
        return Ok(false);
    }
    Step::program(format!("Container {name}: stop"), "docker", &format!("stop {name}")).aside().run()?;
    Ok(true)
}

/// The port tells the containers of several checkouts apart.
fn name(service: &Service) -> String {
    format!("composable-rust-{}-{}", service.kind.name(), service.port)
}

/// What `docker run --detach` is told.
fn run_arguments(service: &Service, name: &str) -> Vec<String> {
    let (image, inner, variables, command) = container(service);
    let mut arguments =
        vec![format!("--name={name}"), format!("--publish=127.0.0.1:{}:{inner}", service.port)];
    arguments.extend(variables.into_iter().map(|variable| format!("--env={variable}")));
    arguments.push(image);
    arguments.extend(command);
    arguments
}

/// Its image, the port in the container, its variables and its command.
fn container(service: &Service) -> (String, u16, Vec<String>, Vec<String>) {
    match service.kind {
        Kind::Postgres => {
            let settings = postgres::settings().into_iter().flat_map(|setting| ["-c".to_owned(), setting]);
            ("postgres:17".to_owned(), 5_432, postgres::container(), settings.collect())
        }
        Kind::Redis => {
            let program = std::iter::once("redis-server").chain(redis::settings());
            ("redis:7".to_owned(), 6_379, Vec::new(), program.map(str::to_owned).collect())
        }
        Kind::Kafka => {
            let settings = kafka::settings(":9092", "localhost:9093", service.port).into_iter();
            let variable = |(name, value): (&str, String)| {
                format!("KAFKA_{}={value}", name.to_uppercase().replace('.', "_"))
            };
            (format!("apache/kafka:{}", kafka::VERSION), 9_092, settings.map(variable).collect(), Vec::new())
        }
    }
}

/// Tests that kill a broker run one of their own, from the same libraries.
fn libraries(service: &Service, name: &str) -> Result<(), Error> {
    let target = service.folder.join("libs");
    if service.kind != Kind::Kafka || target.exists() {
        return Ok(());
    }
    let copy = format!("cp {name}:/opt/kafka/libs {}", target.display());
    Step::program("Kafka: its libraries", "docker", &copy).aside().run()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_listens_on_loopback_alone() {
        for kind in [Kind::Postgres, Kind::Redis, Kind::Kafka] {
            let service = Service { kind, folder: "x".into(), port: 12_345 };
            let arguments = run_arguments(&service, &name(&service));
            assert!(arguments[1].starts_with("--publish=127.0.0.1:12345:"), "{arguments:?}");
        }
    }

    #[test]
    fn a_broker_in_a_container_is_reached_by_the_port_of_this_machine() {
        let service = Service { kind: Kind::Kafka, folder: "x".into(), port: 12_345 };
        let arguments = run_arguments(&service, "name");
        let told = |expected: &str| arguments.iter().any(|argument| argument == expected);
        assert!(told("--env=KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://127.0.0.1:12345"), "{arguments:?}");
        assert!(told("--env=KAFKA_LISTENERS=PLAINTEXT://:9092,CONTROLLER://localhost:9093"), "{arguments:?}");
    }
}
