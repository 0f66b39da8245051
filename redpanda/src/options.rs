//! What can be set, with its limits and defaults. Secrets are not shown by `Debug`.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// How to reach the brokers and what to ask of them.
#[derive(Debug, Clone)]
pub struct RedpandaOptions {
    /// `host:port`, separated by commas; some of the cluster's brokers are enough.
    pub brokers: String,
    /// Stands before the name of every topic and group, so that several applications (or tests) can share a cluster.
    /// Letters, digits, `.`, `_` and `-`. Default: empty.
    pub prefix: String,
    /// Partitions of each topic: so many members of a group can share its work. A topic that has fewer is refused. Do not
    /// change the number for topics that have messages: streams would move to other partitions and lose their order.
    /// Default 8.
    pub partitions: u32,
    /// On how many brokers each message is kept; a topic that has fewer copies is refused. Default: as the cluster does.
    pub replication: Option<u16>,
    /// Whether topics that are missing are made. If not, a missing topic is refused. Default: yes.
    pub create_topics: bool,
    /// How long the brokers may take to answer a question or a commit. Default 10 s.
    pub answer_timeout: Duration,
    /// How long a publish may take until it is given up; less than the relay's patience (10 s), so that the reason is
    /// heard. Default 8 s.
    pub publish_timeout: Duration,
    /// How long a message waits for others to share its way. Default 2 ms.
    pub linger: Duration,
    /// Largest message in bytes, with its headers. An event's payload is limited to 1 MiB. Default 2 MiB.
    pub max_message_bytes: usize,
    /// Most messages that a consumer keeps in memory ahead of its reader; when so many wait, it fetches no more.
    /// Default 10,000.
    pub buffer_messages: usize,
    /// As [`Self::buffer_messages`], in bytes of payloads and metadata. The client library keeps as much again.
    /// Default 16 MiB.
    pub buffer_bytes: usize,
    /// After how much silence a member of a group counts as dead and its work passes to the others; the brokers set limits
    /// (of 6 s at least, usually). Default 10 s.
    pub session_timeout: Duration,
    /// Encryption and identity. Default: none.
    pub security: Security,
}

impl RedpandaOptions {
    /// The defaults, for these brokers.
    pub fn new(brokers: impl Into<String>) -> Self {
        Self {
            brokers: brokers.into(),
            prefix: String::new(),
            partitions: 8,
            replication: None,
            create_topics: true,
            answer_timeout: Duration::from_secs(10),
            publish_timeout: Duration::from_secs(8),
            linger: Duration::from_millis(2),
            max_message_bytes: 2 * 1024 * 1024,
            buffer_messages: 10_000,
            buffer_bytes: 16 * 1024 * 1024,
            session_timeout: Duration::from_secs(10),
            security: Security::default(),
        }
    }
}

/// Encryption, and who we are.
#[derive(Debug, Clone, Default)]
pub struct Security {
    /// Encrypts the connections; needs the crate's feature `tls`.
    pub tls: Option<Tls>,
    /// Proves who we are.
    pub sasl: Option<Sasl>,
}

/// Encryption. Certificates and keys are PEM files.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// Who may have signed the brokers' certificates. Default: as the system trusts.
    pub ca: Option<PathBuf>,
    /// Our own certificate, where the brokers ask for one.
    pub certificate: Option<PathBuf>,
    /// The key of our certificate.
    pub key: Option<PathBuf>,
}

/// A name and a password.
#[derive(Clone)]
pub struct Sasl {
    /// How they are shown to the broker.
    pub mechanism: SaslMechanism,
    /// The name.
    pub username: String,
    /// The password; not shown by `Debug`.
    pub password: String,
}

/// How a name and a password are shown to the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaslMechanism {
    /// As they are: with [`Security::tls`] only, or on a line that nobody else can read.
    Plain,
    /// Not as they are; needs the crate's feature `tls`.
    ScramSha256,
    /// As [`Self::ScramSha256`], with a longer digest.
    ScramSha512,
}

impl fmt::Debug for Sasl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sasl")
            .field("mechanism", &self.mechanism)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_not_shown() {
        let (username, password) = ("shop".to_owned(), "hunter2".to_owned());
        let sasl = Some(Sasl { mechanism: SaslMechanism::Plain, username, password });
        let security = Security { sasl, tls: None };
        let shown = format!("{:?}", RedpandaOptions { security, ..RedpandaOptions::new("a:1") });
        assert!(shown.contains("shop") && !shown.contains("hunter2"), "{shown}");
    }
}
