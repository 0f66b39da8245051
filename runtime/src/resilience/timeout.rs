//! A limit on how long a call may take.

use super::{Policy, PolicyError};
use composable_rust_core::Clock;
use std::sync::Arc;
use std::time::Duration;

/// Drops a call that takes longer than it may.
#[derive(Debug, Clone)]
pub struct Timeout {
    after: Duration,
    clock: Arc<dyn Clock>,
}

impl Timeout {
    /// Calls may take `after`, by `clock`.
    pub const fn new(after: Duration, clock: Arc<dyn Clock>) -> Self {
        Self { after, clock }
    }
}

impl Policy for Timeout {
    async fn call<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send,
        E: From<PolicyError> + Send,
        F: Future<Output = Result<T, E>> + Send,
    {
        tokio::select! {
            biased;
            result = work => result,
            () = self.clock.sleep(self.after) => Err(PolicyError::TimedOut { after: self.after }.into()),
        }
    }
}
