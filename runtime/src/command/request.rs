//! What comes with a command besides its content: identity, origin, limits.

use bytes::Bytes;
use composable_rust_core::port::TimerClaim;
use composable_rust_core::{
    CausationId, CommandId, CorrelationId, EncodeError, EventMetadata, UserId, derived_uuid,
};
use serde::Serialize;
use std::time::Duration;

/// Where a command comes from and how a repeat of it is recognised. All parts are optional.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestContext {
    /// The command's id: a repeat with the same id gets the first result. Without one, each call is a new command.
    pub command_id: Option<CommandId>,
    /// A digest of the request: the same id with another digest is refused. Without one, what a command carries does not
    /// count; see [`Self::fingerprint_of`].
    pub fingerprint: Option<Bytes>,
    /// How long the id is remembered; `None` for ever.
    pub keep: Option<Duration>,
    /// Whether the caller has just looked the id up and found nothing, so that it need not be done again before the
    /// command is decided. A repeat is found out all the same, by the append.
    pub looked_up: bool,
    /// Ties together everything that one request started; the command's id when absent.
    pub correlation_id: Option<CorrelationId>,
    /// What caused the command; the command's id when absent.
    pub causation_id: Option<CausationId>,
    /// On whose behalf.
    pub user_id: Option<UserId>,
    /// W3C `traceparent`.
    pub trace_parent: Option<String>,
}

impl RequestContext {
    /// A context whose command id is `id`, remembered for ever.
    ///
    /// The id belongs to one kind of command on one aggregate (or on the same ones, in the same order): another kind or
    /// another aggregate is refused with [`ExecuteError::KeyReused`](crate::ExecuteError::KeyReused). What the command
    /// carries does not count: `Deposit { amount: 500 }` under the id of `Deposit { amount: 5 }` gets the first result.
    /// Where it shall count, add [`Self::fingerprint_of`].
    pub fn with_id(id: CommandId) -> Self {
        Self { command_id: Some(id), ..Self::default() }
    }

    /// With the user on whose behalf the command is given.
    #[must_use]
    pub fn by(mut self, user: UserId) -> Self {
        self.user_id = Some(user);
        self
    }

    /// With a digest of `content` as its fingerprint: the same id with other content is refused.
    ///
    /// Give what makes it the same request, for instance the whole command. A repeat must give the same again, so leave
    /// out what may differ then, such as the time; a `HashMap` has no fixed order.
    ///
    /// # Errors
    /// [`EncodeError`] when `content` has no JSON form.
    pub fn fingerprint_of<T: Serialize>(mut self, content: &T) -> Result<Self, EncodeError> {
        let json = serde_json::to_string(content)
            .map_err(|source| EncodeError { what: std::any::type_name::<T>(), source })?;
        self.fingerprint = Some(Bytes::copy_from_slice(derived_uuid(&["content", &json]).as_bytes()));
        Ok(self)
    }

    pub(crate) fn metadata(&self, command_id: CommandId) -> EventMetadata {
        EventMetadata {
            correlation_id: Some(
                self.correlation_id.unwrap_or(CorrelationId::from_uuid(command_id.as_uuid())),
            ),
            causation_id: Some(self.causation_id.unwrap_or(CausationId::from_uuid(command_id.as_uuid()))),
            command_id: Some(command_id),
            user_id: self.user_id,
            trace_parent: self.trace_parent.clone(),
            ..EventMetadata::default()
        }
    }
}

/// A request with what only the runtime may add.
#[derive(Debug, Default)]
pub(crate) struct Invocation {
    pub(crate) request: RequestContext,
    /// The timer that the command acts upon, consumed by its append.
    pub(crate) claim: Option<TimerClaim>,
    /// Whether somebody from outside may repeat it: a first result is then looked up. Of what processes give, the
    /// claimed timer alone tells a repeat.
    pub(crate) looks_up: bool,
}

impl From<RequestContext> for Invocation {
    fn from(request: RequestContext) -> Self {
        Self { looks_up: request.command_id.is_some(), request, claim: None }
    }
}
