//! A request to the host together with what its outcome means: one allocation for both.

use super::{Effect, EffectDescription, EffectHost};
use futures_util::future::BoxFuture;
use std::fmt;

/// Data that an [`EffectHost`] can carry out.
pub trait HostRequest: fmt::Debug + Sized + Send + 'static {
    /// What comes of it.
    type Outcome: Send + 'static;

    /// Kind, target and payload.
    fn describe(&self) -> EffectDescription;

    /// Carries it out.
    fn perform(self, host: &dyn EffectHost) -> BoxFuture<'_, Self::Outcome>;

    /// The effect that `call` is.
    fn into_effect<A>(call: HostCall<Self, A>) -> Effect<A>;
}

/// A request and the function that makes an action of its outcome.
pub struct HostCall<Q, A>(Box<dyn Pending<Q, A>>);

impl<Q: HostRequest, A: 'static> HostCall<Q, A> {
    /// `request`, whose outcome becomes an action through `reply`; `None` says nothing.
    pub fn new<R, F>(request: Q, reply: F) -> Self
    where
        R: Into<Option<A>>,
        F: FnOnce(Q::Outcome) -> R + Send + 'static,
    {
        let reply = move |outcome| reply(outcome).into();
        Self(Box::new(Call { request: Some(request), reply }))
    }

    /// Kind, target and payload.
    pub fn describe(&self) -> Option<EffectDescription> {
        self.0.request().map(HostRequest::describe)
    }

    /// Carries it out and gives the action that its outcome means.
    ///
    /// # Cancel safety
    /// As the host's: a dropped append happens whole or not at all, and nobody hears which.
    pub async fn perform(mut self, host: &dyn EffectHost) -> Option<A> {
        let request = self.0.take()?;
        let outcome = request.perform(host).await;
        self.0.reply(outcome)
    }

    pub(super) fn map<B, F>(self, f: F) -> HostCall<Q, B>
    where
        F: FnOnce(A) -> B + Send + 'static,
    {
        HostCall(Box::new(Mapped { call: self, f }))
    }
}

impl<Q: HostRequest, A> fmt::Debug for HostCall<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.request().fmt(f)
    }
}

trait Pending<Q: HostRequest, A>: Send {
    /// What is asked, until it is taken.
    fn request(&self) -> Option<&Q>;
    fn take(&mut self) -> Option<Q>;
    fn reply(self: Box<Self>, outcome: Q::Outcome) -> Option<A>;
}

struct Call<Q, F> {
    request: Option<Q>,
    reply: F,
}

impl<Q, A, F> Pending<Q, A> for Call<Q, F>
where
    Q: HostRequest,
    F: FnOnce(Q::Outcome) -> Option<A> + Send,
{
    fn request(&self) -> Option<&Q> {
        self.request.as_ref()
    }

    fn take(&mut self) -> Option<Q> {
        self.request.take()
    }

    fn reply(self: Box<Self>, outcome: Q::Outcome) -> Option<A> {
        (self.reply)(outcome)
    }
}

struct Mapped<Q, A, F> {
    call: HostCall<Q, A>,
    f: F,
}

impl<Q, A, B, F> Pending<Q, B> for Mapped<Q, A, F>
where
    Q: HostRequest,
    F: FnOnce(A) -> B + Send,
{
    fn request(&self) -> Option<&Q> {
        self.call.0.request()
    }

    fn take(&mut self) -> Option<Q> {
        self.call.0.take()
    }

    fn reply(self: Box<Self>, outcome: Q::Outcome) -> Option<B> {
        self.call.0.reply(outcome).map(self.f)
    }
}
