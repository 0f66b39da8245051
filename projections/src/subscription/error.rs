//! What can go wrong in a subscription, and what follows from it.

use composable_rust_core::port::StoreError;
use composable_rust_core::{EventId, Position, StreamId};
use std::error::Error;

/// Any cause.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Why a batch was not handled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandleError {
    /// It may succeed later: the batch is handed over again after a pause, for as long as it takes.
    #[error("handling failed for now")]
    Transient(#[source] BoxError),
    /// This event can never be handled as the code is: the failure policy decides.
    #[error("the event at position {position} cannot be handled")]
    Poison {
        /// Which event of the batch.
        position: Position,
        /// The cause.
        #[source]
        source: BoxError,
    },
    /// Another instance has taken over: the subscription gives up its lease and starts over.
    #[error("another instance has taken over")]
    Fenced,
    /// Neither the event nor time will change it, such as damaged data: the subscription stops.
    #[error("handling failed for good")]
    Fatal(#[source] BoxError),
}

impl From<StoreError> for HandleError {
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::Fenced { .. }) {
            Self::Fenced
        } else if error.is_transient() {
            Self::Transient(error.into())
        } else {
            Self::Fatal(error.into())
        }
    }
}

/// Why a subscription stopped. It stays stopped until it is run again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubscriptionError {
    /// An event cannot be handled and the policy is to stop. Deploy code that can, or choose to park.
    #[error(
        "{subscription} stopped at position {position}: {event_type} {event} of {stream} cannot be handled"
    )]
    Poisoned {
        /// Which subscription.
        subscription: String,
        /// Where the event stands.
        position: Position,
        /// Its id.
        event: EventId,
        /// What kind of event.
        event_type: String,
        /// Its stream.
        stream: StreamId,
        /// The cause.
        #[source]
        source: BoxError,
    },
    /// The store or the subscriber failed for good. Do what the cause says, then start again.
    #[error("{subscription} stopped")]
    Failed {
        /// Which subscription.
        subscription: String,
        /// The cause.
        #[source]
        source: BoxError,
    },
    /// Another deployment has replaced what this code maintains. Nothing to do but to retire this instance.
    #[error("{subscription} was replaced by {definition:?}, which is not what this code maintains")]
    Superseded {
        /// Which projection.
        subscription: String,
        /// What is live now.
        definition: String,
    },
}
