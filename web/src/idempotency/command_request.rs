//! What a handler needs to execute commands for a request: their identity, their origin and ids for what they make.

use super::{IdempotencyKey, KEPT_FOR};
use crate::principal::Identity;
use crate::{Problem, RequestIds, Web};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use bytes::Bytes;
use composable_rust_core::{CommandId, derived_uuid, uuid_v7};
use composable_rust_runtime::RequestContext;
use jiff::Timestamp;
use std::ops::Deref;
use uuid::Uuid;

/// The time in ids made under a key that carries none, 2026-01-01: the present would differ in a retry.
const EPOCH_MILLIS: i64 = 1_767_225_600_000;

/// A keyed request, as the middleware recognised it.
#[derive(Debug, Clone)]
pub(crate) struct Recognised {
    pub(crate) id: CommandId,
    pub(crate) fingerprint: Bytes,
    pub(crate) key: IdempotencyKey,
}

/// The identity and origin of the commands of one request.
///
/// ```
/// use composable_rust_web::CommandRequest;
/// # #[derive(Debug)] struct OrderId(uuid::Uuid);
/// # impl From<uuid::Uuid> for OrderId { fn from(id: uuid::Uuid) -> Self { Self(id) } }
/// async fn place_order(command: CommandRequest) {
///     let id: OrderId = command.new_id(0);      // the same in a repeat of the request
///     let context = command.context();          // for `app.execute(id, …).request(context)`
///     let next = command.step("count");         // for a second command of the same request
/// #   let _ = (id, context, next);
/// }
/// ```
#[derive(Debug, Clone)]
pub struct CommandRequest {
    context: RequestContext,
    seed: Uuid,
    moment: Timestamp,
}

impl CommandRequest {
    /// For the request's command. With an idempotency key, its repeat gets the first result.
    pub fn context(&self) -> RequestContext {
        self.context.clone()
    }

    /// For a further command of the same request; each needs its own name. Execute them in a fixed order: in a repeat
    /// those that were done answer their first result, and the rest is done then.
    pub fn step(&self, name: &str) -> RequestContext {
        let mut context = self.context.clone();
        context.command_id = context.command_id.map(|id| CommandId::derived(&[&id.to_string(), name]));
        context
    }

    /// The `ordinal`-th id for something that this request makes. A repeat under the same key makes the same ids, so it
    /// cannot make a second thing. The form is `UUIDv7`; under a key that is no `UUIDv7` its time means nothing.
    pub fn new_id<T: From<Uuid>>(&self, ordinal: u32) -> T {
        let name = derived_uuid(&["new", &self.seed.to_string(), &ordinal.to_string()]).as_u64_pair();
        let (high, low) = ((name.0 >> 48) as u16, name.1);
        T::from(uuid_v7(self.moment, high, low))
    }
}

/// As [`CommandRequest`], for routes on which a key is required: 400 `idempotency_key_missing` without one.
#[derive(Debug, Clone)]
pub struct KeyedRequest(CommandRequest);

impl Deref for KeyedRequest {
    type Target = CommandRequest;

    fn deref(&self) -> &CommandRequest {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for KeyedRequest {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if parts.extensions.get::<Recognised>().is_none() {
            return Err(Problem::idempotency_key_missing());
        }
        CommandRequest::from_request_parts(parts, state).await.map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for CommandRequest {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let ids = RequestIds::from_request_parts(parts, state).await?;
        let Some(web) = parts.extensions.get::<Web>() else { return Err(Problem::internal()) };
        let recognised = parts.extensions.get::<Recognised>();
        let user = parts.extensions.get::<Identity>().and_then(Identity::principal).map(|user| user.user_id);
        let environment = web.application().environment();
        let mut context =
            user.map_or_else(RequestContext::default, |user| RequestContext::default().by(user));
        context.correlation_id = Some(ids.correlation_id());
        context.trace_parent = ids.trace_parent().map(str::to_owned);
        if let Some(keyed) = recognised {
            context.command_id = Some(keyed.id);
            context.fingerprint = Some(keyed.fingerprint.clone());
            context.keep = Some(KEPT_FOR);
        }
        let (seed, moment) = match recognised {
            Some(keyed) => (keyed.id.as_uuid(), time_of(&keyed.key)),
            None => (environment.new_id(), environment.now()),
        };
        Ok(Self { context, seed, moment })
    }
}

/// The time of a key that is a `UUIDv7`, as good clients send; else [`EPOCH_MILLIS`].
fn time_of(key: &IdempotencyKey) -> Timestamp {
    let id = Uuid::parse_str(key.as_str()).ok().filter(|id| id.get_version_num() == 7);
    let millis = id.map_or(EPOCH_MILLIS, |id| i64::try_from(id.as_u128() >> 80).unwrap_or(EPOCH_MILLIS));
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
}
