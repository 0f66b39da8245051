//! What the cases of limits, caches and sessions work with: the port, and a way to let time pass for it.

use super::run::Prepare;
use futures_util::future::BoxFuture;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A port to test (`dyn RateLimits`, `dyn Cache`, `dyn Sessions`): fresh, empty, and not shared with another case. An
/// adapter of a shared server gives each subject keys of its own, by a prefix.
pub struct TimedSubject<P: ?Sized> {
    port: Arc<P>,
    pass: Box<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>,
}

impl<P: ?Sized> TimedSubject<P> {
    /// The port, and what lets so much time pass on its clock: a clock that is moved, or a server that is asked to wait.
    pub fn new(
        port: Arc<P>,
        pass: impl Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync + 'static,
    ) -> Self {
        Self { port, pass: Box::new(pass) }
    }

    /// The port.
    pub fn port(&self) -> &P {
        &self.port
    }

    /// Lets time pass.
    pub async fn pass(&self, duration: Duration) {
        (self.pass)(duration).await;
    }
}

impl<P: ?Sized> fmt::Debug for TimedSubject<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimedSubject").finish_non_exhaustive()
    }
}

impl<P: ?Sized + Send + Sync + 'static> Prepare for TimedSubject<P> {
    type Fixture = Self;

    async fn prepare(self) -> Self {
        self
    }
}
