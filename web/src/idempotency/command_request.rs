//! What a handler needs to execute commands for a request: their identity, their origin and ids for what they make.

use super::KEPT_FOR;
use super::fingerprint::stamped;
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

/// A keyed request, as the middleware recognised it.
#[derive(Debug, Clone)]
pub(crate) struct Recognised {
    pub(crate) id: CommandId,
    /// The digest of what it asks.
    pub(crate) digest: Bytes,
    /// When it was asked first.
    pub(crate) moment: Timestamp,
    /// Whether nothing was done under the key before.
    pub(crate) is_new: bool,
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
    is_new: bool,
}

impl CommandRequest {
    /// For the request's command. With an idempotency key, its repeat gets the first result.
    pub fn context(&self) -> RequestContext {
        self.context.clone()
    }

    /// For a further command of the same request; each needs its own name. Execute them in a fixed order, the one of
    /// [`Self::context`] first: in a repeat those that were done answer their first result, and the rest is done then.
    pub fn step(&self, name: &str) -> RequestContext {
        let mut context = self.context.clone();
        context.command_id = context.command_id.map(|id| CommandId::derived(&[&id.to_string(), name]));
        context.looked_up = false;
        context
    }

    /// Whether nothing was done under the request's key before, or it has none: then nothing exists under its
    /// [`Self::new_id`]s yet, and need not be looked for.
    pub const fn is_new(&self) -> bool {
        self.is_new
    }

    /// The `ordinal`-th id for something that this request makes: a `UUIDv7` of the present. Once the request's command
    /// ([`Self::context`]) was carried out, a repeat under the same key makes the same ids with the same time, which is
    /// kept with the command; before that nothing was made under them.
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
        context.trace_parent = Some(ids.trace_parent().to_owned());
        if let Some(keyed) = recognised {
            context.command_id = Some(keyed.id);
            context.fingerprint = Some(stamped(&keyed.digest, keyed.moment));
            context.keep = Some(KEPT_FOR);
            context.looked_up = keyed.is_new;
        }
        let (seed, moment) = match recognised {
            Some(keyed) => (keyed.id.as_uuid(), keyed.moment),
            None => (environment.new_id(), environment.now()),
        };
        let is_new = recognised.is_none_or(|keyed| keyed.is_new);
        Ok(Self { context, seed, moment, is_new })
    }
}
