//! The frame around following the log: the lease, and what each ending leads to.

use super::follow::{Ended, Follow};
use super::{Leasing, Monitor, Subscriber, SubscriptionError, SubscriptionOptions, SubscriptionState};
use crate::Dependencies;
use composable_rust_core::describe;
use composable_rust_core::port::Lease;
use tokio_util::sync::CancellationToken;

/// Follows the log for `subscriber` until `shutdown`, in one instance at a time.
///
/// At shutdown the running batch is finished, the checkpoint saved and the lease released. A batch that waits for
/// another attempt is left to the next run.
///
/// # Errors
/// [`SubscriptionError`] when an event cannot be handled and the policy is to stop, or when the store failed for good.
/// `monitor` shows it too.
///
/// # Cancel safety
/// Dropping the future is like a crash: nothing is lost, the lease ends after its time.
pub async fn run(
    subscriber: &mut dyn Subscriber,
    deps: &Dependencies,
    options: &SubscriptionOptions,
    monitor: &Monitor,
    shutdown: &CancellationToken,
) -> Result<(), SubscriptionError> {
    let _end = End(monitor);
    let leasing = Leasing::new(subscriber.name(), options);
    loop {
        monitor.set_state(SubscriptionState::Waiting);
        let Some(lease) = wait_for_lease(subscriber, &leasing, deps, monitor, shutdown).await else {
            monitor.set_state(SubscriptionState::Ended);
            return Ok(());
        };
        let ended = {
            let mut follow = Follow::new(subscriber, deps, options, monitor, shutdown).under(lease.fence);
            tokio::select! {
                biased;
                ended = follow.run() => ended,
                () = leasing.keep(deps, &lease) => Ended::Fenced,
            }
        };
        leasing.release(deps, &lease).await;
        match ended {
            Ended::Shutdown => {
                monitor.set_state(SubscriptionState::Ended);
                return Ok(());
            }
            Ended::Fenced => {
                tracing::warn!(subscription = monitor.name(), "lease lost, starting over");
                super::idle::pause(deps, shutdown, options.backoff.pause(1, &deps.environment)).await;
            }
            Ended::Failed(error) => {
                tracing::error!(subscription = monitor.name(), error = &error as &dyn std::error::Error);
                monitor.failed(Some(describe(&error)));
                monitor.set_state(SubscriptionState::Stopped);
                return Err(error);
            }
        }
    }
}

/// Marks the end of a task that panicked or was dropped.
struct End<'a>(&'a Monitor);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.end_abruptly();
    }
}

/// Waits for the lease, and meanwhile shows what its holder has done.
async fn wait_for_lease(
    subscriber: &mut dyn Subscriber,
    leasing: &Leasing,
    deps: &Dependencies,
    monitor: &Monitor,
    shutdown: &CancellationToken,
) -> Option<Lease> {
    loop {
        if shutdown.is_cancelled() {
            return None;
        }
        let looked = match leasing.ask(deps).await {
            Ok(Some(lease)) => {
                monitor.failed(None);
                return Some(lease);
            }
            Ok(None) => subscriber.checkpoint().await,
            Err(error) => Err(error),
        };
        match looked {
            Ok(position) => {
                monitor.saw_checkpoint(position);
                monitor.failed(None);
            }
            Err(error) => monitor.failed(Some(describe(&error))),
        }
        leasing.pause(deps, shutdown).await;
    }
}
