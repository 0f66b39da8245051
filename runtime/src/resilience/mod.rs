//! Policies around calls that may fail or be slow: retry, circuit breaker, bulkhead, timeout, rate limiter.
//!
//! Each one but the retry is a [`Policy`]: a plain async wrapper, and a `tower` layer as it stands. Time and chance come
//! from the environment, so a simulation controls them. Which calls get which policies is not decided here.
//!
//! ```
//! use composable_rust_core::{Environment, port::BusError};
//! use composable_rust_runtime::resilience::{CircuitBreaker, CircuitOptions, Policy, PolicyError, Timeout};
//! use std::{sync::Arc, time::Duration};
//!
//! # #[derive(Debug)] enum GatewayError { NoAnswer(PolicyError) }
//! # impl From<PolicyError> for GatewayError { fn from(error: PolicyError) -> Self { Self::NoAnswer(error) } }
//! # async fn charge() -> Result<u32, GatewayError> { Ok(7) }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let environment = composable_rust_runtime::live_environment();
//! let circuit = CircuitBreaker::new("gateway", CircuitOptions::default(), Arc::clone(&environment.clock));
//! let timeout = Timeout::new(Duration::from_secs(5), environment.clock);
//! // The timeout is inside: a call that took too long counts as a failure of the circuit.
//! assert_eq!(circuit.call(timeout.call(charge())).await.unwrap(), 7);
//! # }
//! ```

mod bulkhead;
mod circuit;
mod circuit_breaker;
mod circuits;
mod error;
mod layer;
mod rate_limiter;
mod retry;
mod timeout;
mod token_bucket;

pub use bulkhead::{Bulkhead, BulkheadOptions};
pub use circuit::{CircuitOptions, CircuitState};
pub use circuit_breaker::{CircuitBreaker, CircuitChange};
pub use circuits::Circuits;
pub use error::PolicyError;
pub use layer::Guarded;
pub use rate_limiter::{RateLimiter, RateLimiterOptions};
pub use retry::{RetryLayer, RetryPolicy, Retrying};
pub use timeout::Timeout;
pub use token_bucket::TokenBucket;

/// Decides whether and how a call is made. Cheap to clone; clones share what they know.
///
/// Policies nest: `circuit.call(bulkhead.call(timeout.call(work)))`. A policy's own refusal is a [`PolicyError`] that
/// becomes the call's error type, so nesting does not nest the errors.
pub trait Policy: Clone + Send + Sync + 'static {
    /// Makes the call, or refuses it without having started it.
    ///
    /// # Errors
    /// The call's own error, or a [`PolicyError`] as one.
    ///
    /// # Cancel safety
    /// Dropping the future drops the call and gives back what the policy had lent to it.
    fn call<T, E, F>(&self, work: F) -> impl Future<Output = Result<T, E>> + Send
    where
        T: Send,
        E: From<PolicyError> + Send,
        F: Future<Output = Result<T, E>> + Send;
}
