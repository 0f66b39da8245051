//! What the client library reports, told as failures of the bus that say what to do.
//!
//! Not here: retries. The library repeats what it can by itself; the rest is up to the caller.

use composable_rust_core::port::BusError;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::producer::{DeliveryResult, ProducerContext};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Listens to what the library says on its threads: its log goes to `tracing`, and the last cause of trouble is kept,
/// because the calls themselves only tell that time has run out.
#[derive(Debug, Clone)]
pub(crate) struct Reports {
    brokers: Arc<str>,
    last: Arc<Mutex<Option<Report>>>,
}

#[derive(Debug, Clone)]
struct Report {
    code: Option<Code>,
    reason: String,
}

impl Reports {
    pub(crate) fn new(brokers: &str) -> Self {
        Self { brokers: brokers.into(), last: Arc::default() }
    }

    /// Forgets what was before: things work.
    pub(crate) fn settle(&self) {
        *self.last() = None;
    }

    /// A failed call as a failure of the bus.
    pub(crate) fn failure(&self, doing: &'static str, error: KafkaError) -> BusError {
        let last = self.last().clone();
        let codes = [error.rdkafka_error_code(), last.as_ref().and_then(|last| last.code)];
        if let Some(advice) = codes.into_iter().flatten().find_map(advice) {
            return BusError::Setup(format!("{}: {advice}{}", self.brokers, told(last.as_ref())));
        }
        let reason = format!("the brokers at {} do not do it{}", self.brokers, told(last.as_ref()));
        BusError::Unavailable { doing, source: Failure { reason, source: error }.into() }
    }

    /// A call that took too long.
    pub(crate) fn timeout(&self, doing: &'static str) -> BusError {
        self.failure(doing, KafkaError::Global(Code::OperationTimedOut))
    }

    /// A topic that is not as it must be.
    pub(crate) fn setup(&self, text: &str) -> BusError {
        BusError::Setup(format!("{}: {text}", self.brokers))
    }

    fn last(&self) -> MutexGuard<'_, Option<Report>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error
            | RDKafkaLogLevel::Warning => tracing::warn!(facility, message, "the bus client reports"),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
                tracing::debug!(facility, message, "the bus client reports");
            }
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(error = %error, reason, "the bus client is in trouble");
        let report = Report { code: error.rdkafka_error_code(), reason: reason.to_owned() };
        let mut last = self.last();
        // That all brokers are down says less than why one of them is.
        if last.is_none() || report.code != Some(Code::AllBrokersDown) {
            *last = Some(report);
        }
    }
}

/// For a client that only asks.
impl ProducerContext for Reports {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}

/// The cause of a [`BusError::Unavailable`].
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
struct Failure {
    reason: String,
    source: KafkaError,
}

/// A client that the library did not make: its text may show the value of an option, so only the option is told.
pub(crate) fn not_made(error: KafkaError) -> BusError {
    BusError::Setup(if let KafkaError::ClientConfig(_, what, option, _) = error {
        format!("the client of the bus cannot have its option {option}: {what}")
    } else {
        format!("the client of the bus cannot be made: {error}")
    })
}

fn told(last: Option<&Report>) -> String {
    last.map(|last| format!(" ({})", last.reason)).unwrap_or_default()
}

/// What helps where trying again does not.
fn advice(code: Code) -> Option<&'static str> {
    let advices = [
        (Code::Authentication, "the broker does not accept the name or the password: correct them"),
        (Code::SaslAuthenticationFailed, "the broker does not accept the name or the password: correct them"),
        (
            Code::UnsupportedSASLMechanism,
            "the broker does not know this way to sign in: choose another mechanism",
        ),
        (Code::TopicAuthorizationFailed, "this user may not use the topic: give it the rights"),
        (Code::GroupAuthorizationFailed, "this user may not use the group: give it the rights"),
        (Code::ClusterAuthorizationFailed, "this user may not do this on the cluster: give it the rights"),
        (Code::SSL, "the encrypted connection cannot be made: compare the certificates"),
        (Code::MessageSizeTooLarge, "a message is too large for the topic: raise its max.message.bytes"),
        (
            Code::InvalidSessionTimeout,
            "the broker does not allow this session timeout: raise session_timeout",
        ),
        (
            Code::InconsistentGroupProtocol,
            "other members of the group share its work in another way: stop them",
        ),
    ];
    advices.iter().find(|(known, _)| *known == code).map(|(_, advice)| *advice)
}
