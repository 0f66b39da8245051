//! Shutting down in the reverse order of the start.

use super::ApplicationError;
use super::shared::{Background, Shared};
use composable_rust_core::{elapsed, later};
use jiff::Timestamp;
use std::sync::PoisonError;
use std::time::Duration;

/// Stops intake, drains, and closes; whatever does not end in time is named.
pub(super) async fn shutdown(shared: &Shared) -> Result<(), ApplicationError> {
    let environment = &shared.deps.environment;
    let deadline = later(environment.now(), shared.options.drain_timeout);
    let left = |now: Timestamp| elapsed(now, deadline);
    let mut late = Vec::new();
    for service in shared.services.lock().await.iter_mut().rev() {
        service.stop(left(environment.now())).await;
    }
    shared.gate.close();
    if !within(shared, left(environment.now()), shared.gate.emptied()).await {
        late.push("commands".to_owned());
    }
    shared.shutdown.cancel();
    let background = std::mem::take(&mut *shared.background.lock().unwrap_or_else(PoisonError::into_inner));
    for Background { name, ended } in background {
        // An error means that the task was dropped, which is an end as well.
        if !within(shared, left(environment.now()), async { drop(ended.await) }).await {
            late.push(name);
        }
    }
    (shared.deps.storage.close)().await;
    if late.is_empty() { Ok(()) } else { Err(ApplicationError::DrainTimeout(late)) }
}

async fn within(shared: &Shared, limit: Duration, work: impl Future<Output = ()>) -> bool {
    tokio::select! {
        biased;
        () = work => true,
        () = shared.deps.environment.clock.sleep(limit) => false,
    }
}

/// Completes at SIGTERM or Ctrl-C; never when signals cannot be listened to, which is logged.
pub(super) async fn signal() {
    let interrupt = async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "Ctrl-C cannot be listened to");
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        biased;
        () = terminate() => {}
        () = interrupt => {}
    }
}

#[cfg(unix)]
async fn terminate() {
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(error) => {
            tracing::error!(%error, "SIGTERM cannot be listened to");
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(not(unix))]
async fn terminate() {
    std::future::pending::<()>().await;
}
