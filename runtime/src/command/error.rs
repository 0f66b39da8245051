//! Why a command was not carried out.

use super::expectation::Expectation;
use super::limits::OverLimit;
use composable_rust_core::port::StoreError;
use composable_rust_core::{
    DecodeError, EncodeError, InvalidId, RecordedEvent, Rejection, RejectionKind, StreamId, StreamVersion,
    panic_text,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::any::Any;

/// Why a command was not carried out. Nothing was written, except where [`Self::Store`] says that it is unknown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecuteError<R: std::error::Error + 'static> {
    /// The domain refused. Tell the caller.
    #[error(transparent)]
    Rejected(R),
    /// The aggregate is not at the version that the caller expects. Load it again and decide again what to ask.
    #[error("{stream} is at version {actual}, not at {expected}")]
    Version {
        /// The aggregate's stream.
        stream: StreamId,
        /// What was expected.
        expected: Expectation,
        /// Its newest version.
        actual: StreamVersion,
    },
    /// The command id was used for something else: another kind of command, another aggregate, or another fingerprint,
    /// in which alone counts what a command carries. Use a fresh one.
    #[error("this command id was used before for a different request")]
    KeyReused,
    /// Too much is waiting, or contention outlasted the retries. Try again a little later.
    #[error("too many commands are waiting; try again shortly")]
    Overloaded,
    /// The application is shutting down. Ask another instance.
    #[error("the application is draining")]
    Draining,
    /// The timer on which the command would have acted is gone: somebody else acted on it. Do nothing more.
    #[error("the claimed timer is gone")]
    TimerGone,
    /// The application was not built with this decider. Add the line that the text names.
    #[error(
        "nobody decides commands of category {category:?}: add `.decider::<{decider}>()` to the application"
    )]
    UnknownDecider {
        /// The category.
        category: &'static str,
        /// The decider's type.
        decider: &'static str,
    },
    /// The command cannot work as given: a key that breaks the rules of a
    /// [`StreamKey`](composable_rust_core::StreamKey), one stream named twice in a command over several, or a set of
    /// no commands at all. Give another one; a repeat is refused again.
    #[error("the command is wrong: {0}")]
    Invalid(String),
    /// It decided more than one command may append. Ask for less at once, or do what the text says.
    #[error(transparent)]
    TooLarge(OverLimit),
    /// The decider's own code is at fault: `decide` or `evolve` panicked, or an event does not come back from its
    /// encoding. Mend it.
    #[error("the decider has a defect: {0}")]
    Defect(String),
    /// The stream's events could not be read. Deploy the code that can, or repair the payload.
    #[error("stream cannot be read")]
    Decode(#[source] DecodeError),
    /// An event could not be encoded: a defect of its type.
    #[error("an event cannot be stored")]
    Encode(#[source] EncodeError),
    /// The store failed; whether anything was written is unknown. Retry with the same command id.
    #[error("the store failed")]
    Store(#[source] StoreError),
}

/// A failure that is no refusal, before the refusal's type is known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Participant `.0` refused; it holds the typed refusal.
    #[error("it was refused")]
    Rejected(usize),
    #[error("{stream} is at version {actual}, not at {expected}")]
    Version { stream: StreamId, expected: Expectation, actual: StreamVersion },
    #[error("its id was used before for something else")]
    KeyReused,
    #[error("too much is waiting")]
    Overloaded,
    #[error("its timer is gone")]
    TimerGone,
    #[error("{0}")]
    Invalid(String),
    #[error(transparent)]
    TooLarge(OverLimit),
    #[error("{0}")]
    Defect(String),
    #[error("a stream cannot be read")]
    Decode(#[source] DecodeError),
    #[error("an event cannot be stored")]
    Encode(#[source] EncodeError),
    #[error("the store failed")]
    Store(#[source] StoreError),
}

impl Failure {
    /// A panic in the user's `function`, before anything was written.
    pub(crate) fn panicked(function: &str, panic: &(dyn Any + Send)) -> Self {
        Self::Defect(format!("`{function}` panicked, so nothing was written: {}", panic_text(panic)))
    }

    /// A panic in `evolve` while the stream of `event` was loaded.
    pub(crate) fn panicked_at(event: &RecordedEvent, panic: &(dyn Any + Send)) -> Self {
        let (version, stream) = (event.version, &event.stream);
        Self::Defect(format!("`evolve` panicked at event {version} of {stream}: {}", panic_text(panic)))
    }

    /// Whether a stream holds what other code wrote: see [`DecodeError::is_foreign`].
    pub(crate) fn is_foreign(&self) -> bool {
        matches!(self, Self::Decode(error) if error.is_foreign())
    }

    pub(crate) fn with_rejection<R: std::error::Error>(
        self,
        rejection: impl FnOnce(usize) -> Option<R>,
    ) -> ExecuteError<R> {
        match self {
            Self::Rejected(index) => rejection(index)
                .map_or_else(|| ExecuteError::Defect("a refusal was lost".into()), ExecuteError::Rejected),
            Self::Version { stream, expected, actual } => ExecuteError::Version { stream, expected, actual },
            Self::KeyReused => ExecuteError::KeyReused,
            Self::Overloaded => ExecuteError::Overloaded,
            Self::TimerGone => ExecuteError::TimerGone,
            Self::Invalid(text) => ExecuteError::Invalid(text),
            Self::TooLarge(over) => ExecuteError::TooLarge(over),
            Self::Defect(text) => ExecuteError::Defect(text),
            Self::Decode(error) => ExecuteError::Decode(error),
            Self::Encode(error) => ExecuteError::Encode(error),
            Self::Store(error) => ExecuteError::Store(error),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl From<EncodeError> for Failure {
    fn from(error: EncodeError) -> Self {
        Self::Encode(error)
    }
}

impl From<InvalidId> for Failure {
    fn from(error: InvalidId) -> Self {
        Self::Invalid(error.to_string())
    }
}

/// A refusal by one of several deciders, with the type erased.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct AnyRejection {
    /// The category of the decider that refused.
    pub category: String,
    /// Which part of the command it was, from 0.
    pub part: usize,
    /// [`Rejection::code`].
    pub code: String,
    /// The refusal's text.
    pub message: String,
    /// The refusal's own fields.
    pub details: Value,
    /// [`Rejection::kind`].
    #[serde(skip, default = "conflict")]
    pub kind: RejectionKind,
}

impl AnyRejection {
    pub(crate) fn new(category: &str, part: usize, rejection: &impl Rejection) -> Self {
        Self {
            category: category.to_owned(),
            part,
            code: rejection.code().to_owned(),
            message: rejection.to_string(),
            details: serde_json::to_value(rejection).unwrap_or(Value::Null),
            kind: rejection.kind(),
        }
    }
}

impl Rejection for AnyRejection {
    fn code(&self) -> &str {
        &self.code
    }

    fn kind(&self) -> RejectionKind {
        self.kind
    }
}

const fn conflict() -> RejectionKind {
    RejectionKind::Conflict
}
