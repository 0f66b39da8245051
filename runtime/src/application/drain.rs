//! Shutting down in the reverse order of the start.

use super::ApplicationError;
use super::shared::{Background, Shared};
use composable_rust_core::{elapsed, later};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use std::sync::{Arc, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// What each part has to end in order, even if those before it have used up all the time: nothing may keep a program from
/// ending, and nobody else's checkpoint should pay for it.
const GRACE: Duration = Duration::from_secs(1);

/// The names of what did not end in time.
type Late = Vec<String>;

/// The one shutdown of an application, and its result for everyone who asks.
#[derive(Default)]
pub(crate) struct Drain {
    result: OnceLock<futures_util::future::Shared<BoxFuture<'static, Late>>>,
}

/// Begins the shutdown unless it has begun. It runs as a task of its own, so that nobody who stops waiting stops it.
///
/// # Cancel safety
/// Dropping the future stops the waiting, not the shutdown.
pub(super) fn shutdown(
    shared: &Arc<Shared>,
) -> impl Future<Output = Result<(), ApplicationError>> + Send + 'static {
    let mut begun = None;
    let result = shared.drain.result.get_or_init(|| {
        let (end, ended) = oneshot::channel();
        begun = Some(end);
        // The task fails to answer only when it panicked or its runtime has ended.
        async move { ended.await.unwrap_or_else(|_| vec!["the shutdown itself".to_owned()]) }.boxed().shared()
    });
    if let Some(end) = begun {
        let draining = Arc::clone(shared);
        let task = async move {
            // Nobody may be waiting any more.
            let _ = end.send(drain(&draining).await);
        };
        shared.deps.environment.spawner.spawn("shutdown", Box::pin(task));
    }
    let result = result.clone();
    async move {
        let late = result.await;
        if late.is_empty() { Ok(()) } else { Err(ApplicationError::DrainTimeout(late)) }
    }
}

/// Stops intake, drains, and closes; answers what did not end in time.
async fn drain(shared: &Shared) -> Late {
    let environment = &shared.deps.environment;
    let end = later(environment.now(), shared.options.drain_timeout);
    let left = |deadline: Timestamp| elapsed(environment.now(), deadline);
    let mut late = Vec::new();
    for service in shared.services.lock().await.iter_mut().rev() {
        let time = left(end);
        // A service acts upon its time itself.
        if !within(shared, time.saturating_add(GRACE), service.stop(time)).await {
            late.push(service.name().to_owned());
        }
    }
    shared.gate.close();
    if !within(shared, left(end).max(GRACE), shared.gate.emptied()).await {
        late.push("commands".to_owned());
    }
    shared.shutdown.cancel();
    let background = std::mem::take(&mut *shared.background.lock().unwrap_or_else(PoisonError::into_inner));
    let background_end = later(environment.now(), left(end).max(GRACE));
    for Background { name, ended } in background {
        // An error means that the task was dropped, which is an end as well.
        if !within(shared, left(background_end), async { drop(ended.await) }).await {
            late.push(name);
        }
    }
    if !within(shared, left(end).max(GRACE), (shared.deps.storage.close)()).await {
        late.push("storage".to_owned());
    }
    late
}

/// Whether `work` ended in time; else it is dropped where it stands.
async fn within(shared: &Shared, limit: Duration, work: impl Future<Output = ()>) -> bool {
    tokio::select! {
        biased;
        () = work => true,
        () = shared.deps.environment.clock.sleep(limit) => false,
    }
}

/// SIGTERM and Ctrl-C.
#[derive(Debug)]
pub(super) struct Signals {
    #[cfg(unix)]
    terminate: Option<tokio::signal::unix::Signal>,
    #[cfg(unix)]
    interrupt: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    /// Listens from now on.
    pub(super) fn listen() -> Self {
        use tokio::signal::unix::SignalKind;
        Self { terminate: listen(SignalKind::terminate()), interrupt: listen(SignalKind::interrupt()) }
    }

    /// Completes when the next one comes; never when they cannot be listened to, which is logged.
    ///
    /// # Cancel safety
    /// A signal that is not waited for is kept for the next call.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            biased;
            () = heard(self.terminate.as_mut()) => {}
            () = heard(self.interrupt.as_mut()) => {}
        }
    }
}

#[cfg(unix)]
fn listen(kind: tokio::signal::unix::SignalKind) -> Option<tokio::signal::unix::Signal> {
    let listening = tokio::signal::unix::signal(kind);
    listening.inspect_err(|error| tracing::error!(%error, ?kind, "the signal cannot be listened to")).ok()
}

#[cfg(unix)]
async fn heard(signal: Option<&mut tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// As on Unix, for Ctrl-C alone; listens from the first wait on.
#[cfg(not(unix))]
impl Signals {
    pub(super) fn listen() -> Self {
        Self {}
    }

    pub(super) async fn next(&mut self) {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "Ctrl-C cannot be listened to");
            std::future::pending::<()>().await;
        }
    }
}
