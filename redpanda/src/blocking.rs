//! Questions that the client library only answers to a thread that waits.

use crate::error::Reports;
use composable_rust_core::port::BusError;
use rdkafka::error::KafkaError;
use std::time::Duration;

/// Asks on a thread that may wait. When the caller goes away, or time runs out, the question is still asked to its end.
///
/// # Errors
/// What the library says, or that it took longer than `limit`.
///
/// # Cancel safety
/// The question goes on; its answer is lost.
#[expect(
    clippy::disallowed_methods,
    reason = "the library has no other way to ask, and no simulation has a broker"
)]
pub(crate) async fn ask<T: Send + 'static>(
    reports: &Reports,
    doing: &'static str,
    limit: Duration,
    question: impl FnOnce() -> Result<T, KafkaError> + Send + 'static,
) -> Result<T, BusError> {
    match tokio::time::timeout(limit, tokio::task::spawn_blocking(question)).await {
        Ok(Ok(answer)) => answer.map_err(|error| reports.failure(doing, error)),
        Ok(Err(_)) => Err(BusError::Closed),
        Err(_) => Err(reports.timeout(doing)),
    }
}

/// Drops what waits while it is dropped, on a thread that may wait if there is one.
pub(crate) fn dispose(thing: impl Send + 'static) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn_blocking(move || drop(thing));
    }
}
