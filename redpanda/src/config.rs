//! The options in the words of the client library, checked before they are used.

use crate::options::{RedpandaOptions, SaslMechanism, Security};
use composable_rust_core::port::BusError;
use rdkafka::ClientConfig;
use std::time::Duration;

/// What publishers, consumers and the questions about topics have in common.
///
/// # Errors
/// [`BusError::Setup`] for options that cannot work.
pub(crate) fn client(options: &RedpandaOptions) -> Result<ClientConfig, BusError> {
    check(options)?;
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &options.brokers)
        .set("client.id", "composable-rust")
        .set("socket.keepalive.enable", "true")
        .set("socket.timeout.ms", millis(options.answer_timeout))
        .set("message.max.bytes", options.max_message_bytes.to_string())
        // After a restart of the broker nobody should wait for long.
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "1000");
    secure(&mut config, &options.security);
    Ok(config)
}

/// Publishers: durable on all copies, without gaps or changes of order.
pub(crate) fn producer(client: &ClientConfig, options: &RedpandaOptions) -> ClientConfig {
    let mut config = client.clone();
    config
        .set("enable.idempotence", "true")
        .set("acks", "all")
        // A message that fails takes those behind it with it; else they would overtake it.
        .set("enable.gapless.guarantee", "true")
        // Nothing times out message by message, for the same reason: the publisher gives up all of it at once.
        .set("message.timeout.ms", "0")
        .set("compression.type", "lz4")
        // As clients in other languages choose the partition of a key.
        .set("partitioner", "murmur2_random")
        .set("linger.ms", millis(options.linger));
    config
}

/// Members of a group: nothing is committed but by us.
pub(crate) fn consumer(client: &ClientConfig, options: &RedpandaOptions, group: &str) -> ClientConfig {
    let mut config = client.clone();
    config
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "earliest")
        // A member that joins or leaves interrupts nobody whose partitions stay.
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("session.timeout.ms", millis(options.session_timeout))
        .set("heartbeat.interval.ms", millis(options.session_timeout / 4))
        .set("queued.max.messages.kbytes", (options.buffer_bytes / 1024).max(1).to_string())
        .set("fetch.error.backoff.ms", "100")
        .set("fetch.message.max.bytes", options.max_message_bytes.to_string());
    config
}

/// Names what is wrong with the options before anybody connects.
fn check(options: &RedpandaOptions) -> Result<(), BusError> {
    let is_address = |broker: &str| {
        broker
            .trim()
            .rsplit_once(':')
            .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
    };
    if !options.brokers.split(',').all(is_address) {
        return Err(BusError::Setup(format!(
            "brokers must read host:port, separated by commas, and read {:?}: set KAFKA_BROKERS",
            options.brokers
        )));
    }
    if let Some(needs) = needs_tls(&options.security)
        && cfg!(not(feature = "tls"))
    {
        return Err(BusError::Setup(format!(
            "{needs} needs the feature `tls` of composable-rust-redpanda (and OpenSSL's headers to build it)"
        )));
    }
    if !options.prefix.bytes().all(is_name) {
        let prefix = &options.prefix;
        return Err(BusError::Setup(format!(
            "the prefix {prefix:?} cannot stand in the name of a topic: use letters, digits, '.', '_' and '-'"
        )));
    }
    Ok(())
}

/// What a topic's name may consist of.
pub(crate) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

fn needs_tls(security: &Security) -> Option<&'static str> {
    match (&security.tls, security.sasl.as_ref().map(|sasl| sasl.mechanism)) {
        (Some(_), _) => Some("encryption"),
        (None, Some(SaslMechanism::ScramSha256 | SaslMechanism::ScramSha512)) => Some("SCRAM"),
        (None, Some(SaslMechanism::Plain) | None) => None,
    }
}

fn secure(config: &mut ClientConfig, security: &Security) {
    let protocol = match (&security.tls, &security.sasl) {
        (None, None) => return,
        (Some(_), None) => "ssl",
        (None, Some(_)) => "sasl_plaintext",
        (Some(_), Some(_)) => "sasl_ssl",
    };
    config.set("security.protocol", protocol);
    if let Some(tls) = &security.tls {
        let files = [
            ("ssl.ca.location", &tls.ca),
            ("ssl.certificate.location", &tls.certificate),
            ("ssl.key.location", &tls.key),
        ];
        for (name, file) in files {
            if let Some(file) = file {
                config.set(name, file.display().to_string());
            }
        }
    }
    if let Some(sasl) = &security.sasl {
        let mechanism = match sasl.mechanism {
            SaslMechanism::Plain => "PLAIN",
            SaslMechanism::ScramSha256 => "SCRAM-SHA-256",
            SaslMechanism::ScramSha512 => "SCRAM-SHA-512",
        };
        config
            .set("sasl.mechanism", mechanism)
            .set("sasl.username", &sasl.username)
            .set("sasl.password", &sasl.password);
    }
}

fn millis(duration: Duration) -> String {
    duration.as_millis().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Sasl, Tls};

    fn refusal(options: &RedpandaOptions) -> String {
        client(options).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn brokers_that_are_no_addresses_are_refused_with_the_variable_to_set() {
        for brokers in ["", "kafka", "kafka:", ":9092", "a:1,,b:2", "kafka:123456"] {
            assert!(refusal(&RedpandaOptions::new(brokers)).contains("KAFKA_BROKERS"), "{brokers}");
        }
        assert!(client(&RedpandaOptions::new("a:1, [::1]:9092")).is_ok());
    }

    #[test]
    fn a_prefix_that_no_topic_can_have_is_refused() {
        let options = RedpandaOptions { prefix: "my app/".to_owned(), ..RedpandaOptions::new("a:1") };
        assert!(refusal(&options).contains("cannot stand in the name of a topic"));
    }

    #[test]
    #[cfg(not(feature = "tls"))]
    fn encryption_without_its_feature_is_refused_with_its_name() {
        let password = || {
            Some(Sasl {
                mechanism: SaslMechanism::ScramSha256,
                username: "a".to_owned(),
                password: "b".to_owned(),
            })
        };
        for security in
            [Security { tls: Some(Tls::default()), sasl: None }, Security { tls: None, sasl: password() }]
        {
            let options = RedpandaOptions { security, ..RedpandaOptions::new("a:1") };
            assert!(refusal(&options).contains("feature `tls`"));
        }
    }
}
