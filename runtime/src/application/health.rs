//! How the parts of an application are.

use super::shared::Shared;
use super::unserved::Served;
use crate::process::subscription_name;
use crate::relay::BUS_CIRCUIT;
use crate::resilience::{CircuitState, Circuits};
use composable_rust_core::elapsed;
use composable_rust_projections::{
    Monitor, Progress, ProjectionControl, ProjectionProgress, SubscriptionState,
};
use futures_util::future::{BoxFuture, join_all};
use futures_util::join;
use std::time::Duration;

/// Longest that one component is asked.
const CHECK_TIMEOUT: Duration = Duration::from_secs(5);

/// How one part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ComponentStatus {
    /// It works.
    Healthy,
    /// It works with restrictions, such as a view that lags.
    Degraded,
    /// It does not work.
    Unhealthy,
}

/// The health of one part.
#[derive(Debug, Clone, PartialEq)]
pub struct ComponentHealth {
    /// Its name.
    pub name: String,
    /// How it is.
    pub status: ComponentStatus,
    /// Whether the application can serve without it.
    pub critical: bool,
    /// How long the check took.
    pub duration: Duration,
    /// What is wrong, if anything.
    pub detail: Option<String>,
}

type Verdict = Result<(), (ComponentStatus, String)>;

/// Asks every part, in parallel.
pub(super) async fn check(shared: &Shared) -> Vec<ComponentHealth> {
    let storage = &shared.deps.storage;
    let mut checks: Vec<BoxFuture<'_, ComponentHealth>> = vec![
        Box::pin(component(shared, "event_store".into(), true, async {
            let first = composable_rust_core::port::LogQuery::after(storage.events.signal().position(), 1);
            storage.events.read_log(first).await.map_err(unhealthy)?;
            let written = shared.writes.check(&*storage.events, &shared.deps.environment).await;
            written.map_err(|reason| (ComponentStatus::Unhealthy, reason))
        })),
        Box::pin(component(shared, "projections_db".into(), true, async {
            storage.checkpoints.load_checkpoint("health").await.map(drop).map_err(unhealthy)
        })),
    ];
    let bus = judge_bus(shared);
    checks.push(Box::pin(component(shared, "event_bus".into(), false, async move { bus })));
    let options = &shared.options;
    let limit = Limits { lag: options.lag_limit, unattended: options.subscriptions.lease_ttl };
    for progress in shared.monitors.iter().map(Monitor::progress) {
        let name = progress.name.clone();
        checks.push(Box::pin(component(shared, name, false, async move { judge(&progress, limit) })));
    }
    let limit = Limits { unattended: options.projections.subscription.lease_ttl, ..limit };
    for projection in shared.projections.iter().map(ProjectionControl::progress) {
        let name = format!("projection:{}", projection.name);
        checks.push(Box::pin(component(
            shared,
            name,
            false,
            async move { judge_projection(&projection, limit) },
        )));
    }
    let (mut parts, unserved) = join!(join_all(checks), unserved(shared));
    parts.extend(unserved);
    parts
}

/// Processes that do not run here although timers wait for them, and have waited for too long.
async fn unserved(shared: &Shared) -> Vec<ComponentHealth> {
    let Some(served) = shared.handles.get::<Served>() else { return Vec::new() };
    let clock = &shared.deps.environment.clock;
    let missing = tokio::select! {
        biased;
        missing = served.missing(&*shared.deps.storage.timers) => missing,
        () = clock.sleep(CHECK_TIMEOUT) => return Vec::new(),
    };
    // That the store does not answer is another part's to say.
    let missing = missing.unwrap_or_default().into_iter();
    let overdue = missing.filter(|unserved| unserved.is_overdue(clock.now())).map(|unserved| {
        let (name, detail) = (subscription_name(&unserved.process), unserved.advice());
        component(shared, name, false, async { Err((ComponentStatus::Degraded, detail)) })
    });
    join_all(overdue).await
}

/// What a subscription may come to before it counts as degraded.
#[derive(Clone, Copy)]
struct Limits {
    /// Events behind.
    lag: u64,
    /// Without anybody at work: by then a lease that its holder left behind has ended.
    unattended: Duration,
}

fn judge(progress: &Progress, limit: Limits) -> Verdict {
    if progress.state == SubscriptionState::Stopped {
        let error = progress.last_error.clone().unwrap_or_default();
        return Err((ComponentStatus::Unhealthy, format!("stopped: {error}")));
    }
    if let Some(error) = &progress.last_error {
        return Err((ComponentStatus::Degraded, format!("fails for now: {error}")));
    }
    if progress.unattended > limit.unattended {
        let detail =
            format!("waits for its lease, and nobody has worked for {} s", progress.unattended.as_secs());
        return Err((ComponentStatus::Degraded, detail));
    }
    if progress.lag_events() >= limit.lag {
        let lag = progress.lag_events();
        return Err((ComponentStatus::Degraded, format!("{lag} events behind")));
    }
    if progress.parked_streams > 0 {
        let parked = progress.parked_streams;
        return Err((ComponentStatus::Degraded, format!("{parked} streams with dead letters")));
    }
    Ok(())
}

/// What the relay has found out by publishing; asking the bus once more would tell no more.
fn judge_bus(shared: &Shared) -> Verdict {
    let states = shared.handles.get::<Circuits>().map(|circuits| circuits.states()).unwrap_or_default();
    match states.into_iter().find(|(name, _)| *name == BUS_CIRCUIT) {
        Some((_, CircuitState::Open)) => {
            Err((ComponentStatus::Unhealthy, "publishing keeps failing; events wait in the log".to_owned()))
        }
        Some((_, CircuitState::HalfOpen)) => {
            Err((ComponentStatus::Degraded, "publishing failed and is being tried again".to_owned()))
        }
        Some((_, CircuitState::Closed)) | None => Ok(()),
    }
}

fn judge_projection(projection: &ProjectionProgress, limit: Limits) -> Verdict {
    if let Some(failure) = &projection.failure {
        return Err((ComponentStatus::Unhealthy, failure.clone()));
    }
    if let Some(live) = &projection.live {
        judge(live, limit)?;
    }
    if let Some((generation, building)) = &projection.building {
        judge_building(*generation, building)?;
    }
    match projection.live {
        Some(_) => Ok(()),
        None => Err((ComponentStatus::Degraded, "not built yet".to_owned())),
    }
}

/// Readers are served by the live generation meanwhile, so nothing about the next one is worse than degraded; that it
/// is far behind is what building is about.
fn judge_building(generation: u32, building: &Progress) -> Verdict {
    let detail = match (building.state, &building.last_error) {
        (SubscriptionState::Stopped, error) => {
            let error = error.as_deref().unwrap_or("no reason is known");
            format!("the rebuild (generation {generation}) stopped: {error}")
        }
        (_, Some(error)) => format!("the rebuild (generation {generation}) fails for now: {error}"),
        (_, None) if building.parked_streams > 0 => {
            let parked = building.parked_streams;
            format!("the rebuild (generation {generation}) has {parked} streams with dead letters")
        }
        (_, None) => return Ok(()),
    };
    Err((ComponentStatus::Degraded, detail))
}

async fn component(
    shared: &Shared,
    name: String,
    critical: bool,
    work: impl Future<Output = Verdict> + Send,
) -> ComponentHealth {
    let clock = &shared.deps.environment.clock;
    let started = clock.now();
    let verdict = tokio::select! {
        biased;
        verdict = work => verdict,
        () = clock.sleep(CHECK_TIMEOUT) => Err((ComponentStatus::Unhealthy, "no answer within 5 s".to_owned())),
    };
    let (status, detail) = match verdict {
        Ok(()) => (ComponentStatus::Healthy, None),
        Err((status, detail)) => (status, Some(detail)),
    };
    ComponentHealth { name, status, critical, duration: elapsed(started, clock.now()), detail }
}

#[expect(clippy::needless_pass_by_value, reason = "used with map_err")]
fn unhealthy(error: composable_rust_core::port::StoreError) -> (ComponentStatus, String) {
    (ComponentStatus::Unhealthy, error.to_string())
}
