//! Repeating a call that failed, with growing pauses.

use composable_rust_core::Environment;
use composable_rust_projections::Backoff;
use futures_util::future::BoxFuture;
use std::task::{Context, Poll};
use std::time::Duration;
use tower::{Layer, Service};

/// How often a call is tried, and the pauses between.
///
/// Only for calls that may be made twice: reads, and writes under an id that the other side knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all; 0 counts as 1. Default 3.
    pub attempts: u32,
    /// The pauses: doubling, with jitter. Default from 50 ms to 2 s.
    pub backoff: Backoff,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        let backoff = Backoff { first: Duration::from_millis(50), longest: Duration::from_secs(2) };
        Self { attempts: 3, backoff }
    }
}

impl RetryPolicy {
    /// Calls `attempt` with its number, from 1, until it succeeds, fails with what `is_transient` denies, or was
    /// tried often enough.
    ///
    /// # Errors
    /// The error of the last attempt.
    ///
    /// # Cancel safety
    /// Dropping the future drops the attempt under way and makes no other.
    pub async fn run<T, E, F>(
        &self,
        environment: &Environment,
        is_transient: impl Fn(&E) -> bool,
        mut attempt: impl FnMut(u32) -> F,
    ) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let mut number = 1;
        loop {
            match attempt(number).await {
                Err(error) if number < self.attempts && is_transient(&error) => {
                    environment.clock.sleep(self.backoff.pause(number, environment)).await;
                    number += 1;
                }
                result => return result,
            }
        }
    }

    /// The policy as a layer, for services whose requests can be cloned.
    pub const fn layer<P>(self, environment: Environment, is_transient: P) -> RetryLayer<P> {
        RetryLayer { policy: self, environment, is_transient }
    }
}

/// [`RetryPolicy`] as a `tower` layer.
#[derive(Debug, Clone)]
pub struct RetryLayer<P> {
    policy: RetryPolicy,
    environment: Environment,
    is_transient: P,
}

impl<S, P: Clone> Layer<S> for RetryLayer<P> {
    type Service = Retrying<S, P>;

    fn layer(&self, service: S) -> Self::Service {
        Retrying { service, layer: self.clone() }
    }
}

/// A service whose failed calls are repeated.
#[derive(Debug, Clone)]
pub struct Retrying<S, P> {
    service: S,
    layer: RetryLayer<P>,
}

impl<S, P, R> Service<R> for Retrying<S, P>
where
    S: Service<R, Future: Send, Response: Send, Error: Send> + Clone + Send + Sync + 'static,
    P: Fn(&S::Error) -> bool + Clone + Send + Sync + 'static,
    R: Clone + Send + Sync + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    /// Always ready: each attempt waits for the service itself.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: R) -> Self::Future {
        let (service, layer) = (self.service.clone(), self.layer.clone());
        Box::pin(async move {
            let attempt = |_| tower::ServiceExt::oneshot(service.clone(), request.clone());
            layer.policy.run(&layer.environment, &layer.is_transient, attempt).await
        })
    }
}
