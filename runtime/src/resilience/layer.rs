//! Policies as `tower` layers: put one into a `ServiceBuilder` as it stands.

use super::{Bulkhead, CircuitBreaker, Policy, PolicyError, RateLimiter, Timeout};
use futures_util::future::BoxFuture;
use std::task::{Context, Poll};
use tower::{Layer, Service};

/// A service behind a policy.
#[derive(Debug, Clone)]
pub struct Guarded<S, P> {
    service: S,
    policy: P,
}

impl<S, P, R> Service<R> for Guarded<S, P>
where
    S: Service<R, Future: Send, Response: Send, Error: From<PolicyError> + Send> + Clone + Send + 'static,
    P: Policy,
    R: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        // The one that is ready is used, and a fresh one left in its place.
        let fresh = self.service.clone();
        let mut service = std::mem::replace(&mut self.service, fresh);
        let policy = self.policy.clone();
        // Lazily, so that a call which the policy refuses is not started.
        Box::pin(async move { policy.call(async move { service.call(request).await }).await })
    }
}

macro_rules! layers {
    ($($policy:ty),*) => {$(
        impl<S> Layer<S> for $policy {
            type Service = Guarded<S, Self>;

            fn layer(&self, service: S) -> Self::Service {
                Guarded { service, policy: self.clone() }
            }
        }
    )*};
}

layers!(Bulkhead, CircuitBreaker, RateLimiter, Timeout);
