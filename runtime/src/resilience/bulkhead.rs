//! A limit on how many calls run and wait at the same time.

use super::{Policy, PolicyError};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Limits of a [`Bulkhead`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkheadOptions {
    /// Most calls that run at the same time; 0 counts as 1. Default 16.
    pub max_running: usize,
    /// Most calls that wait for one of those to end; one more is refused. Default 64.
    pub max_waiting: usize,
}

impl Default for BulkheadOptions {
    fn default() -> Self {
        Self { max_running: 16, max_waiting: 64 }
    }
}

/// Keeps one slow dependency from taking all of the application: so many calls run, so many wait in order of arrival,
/// the rest is refused at once.
#[derive(Debug, Clone)]
pub struct Bulkhead {
    name: &'static str,
    running: Arc<Semaphore>,
    /// One permit for each call that runs or waits.
    inside: Arc<Semaphore>,
}

impl Bulkhead {
    /// A bulkhead; `name` shows in errors.
    pub fn new(name: &'static str, options: BulkheadOptions) -> Self {
        let running = options.max_running.clamp(1, Semaphore::MAX_PERMITS / 2);
        let inside = running + options.max_waiting.min(Semaphore::MAX_PERMITS / 2);
        Self { name, running: Arc::new(Semaphore::new(running)), inside: Arc::new(Semaphore::new(inside)) }
    }

    fn full(&self) -> PolicyError {
        PolicyError::BulkheadFull { name: self.name }
    }
}

impl Policy for Bulkhead {
    async fn call<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send,
        E: From<PolicyError> + Send,
        F: Future<Output = Result<T, E>> + Send,
    {
        let _inside = self.inside.try_acquire().map_err(|_| self.full())?;
        let _running = self.running.acquire().await.map_err(|_| self.full())?;
        work.await
    }
}
