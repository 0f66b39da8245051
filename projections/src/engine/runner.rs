//! The supervisor of a projection: which generations run here, and when the next one becomes live.

use super::generations::Plan;
use super::{ProjectionControl, ProjectionOptions, ProjectionSubscriber, Shared, subscription_name};
use crate::subscription::SubscriptionState;
use crate::{Dependencies, Monitor, SubscriptionError, View, run};
use composable_rust_core::describe;
use composable_rust_core::port::StoreError;
use composable_rust_core::{Projection, elapsed};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Runs a projection in this instance.
///
/// The first start makes generation 1 and shows it to readers at once. When the definition changed (the projection's
/// version or the shape of its rows), and when [`ProjectionControl::rebuild`] asks for it, the next generation is built
/// beside the live one, and readers are switched when it has caught up. Readers never see a half-built one.
pub struct ProjectionRunner<P: Projection> {
    projection: Arc<P>,
    pub(super) shared: Arc<Shared>,
}

impl<P: Projection> fmt::Debug for ProjectionRunner<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProjectionRunner").field("name", &P::NAME).finish_non_exhaustive()
    }
}

/// A generation at work.
struct Follower {
    monitor: Monitor,
    stop: CancellationToken,
    done: CancellationToken,
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// What the supervisor remembers from turn to turn.
#[derive(Default)]
struct Memory {
    followers: BTreeMap<u32, Follower>,
    /// Whether this code's definition was live.
    had_live: bool,
    live: Option<u32>,
    drop_at: Option<Timestamp>,
    failures: u32,
}

impl<P: Projection> ProjectionRunner<P> {
    /// A runner that has not started.
    pub fn new(projection: P, deps: Dependencies, options: ProjectionOptions) -> Self {
        let shared = Arc::new(Shared::new::<P>(deps, options));
        Self { projection: Arc::new(projection), shared }
    }

    /// What it writes, for readers.
    pub fn view(&self) -> View<P> {
        View::over(Arc::clone(&self.shared))
    }

    /// Its controls.
    pub fn control(&self) -> ProjectionControl {
        ProjectionControl { shared: Arc::clone(&self.shared) }
    }

    /// Runs until `shutdown`, then finishes the running batches.
    ///
    /// A generation that stops with an error stays stopped, shows it in its progress, and runs again when
    /// [`ProjectionControl::resume`] is called.
    ///
    /// # Errors
    /// [`SubscriptionError::Superseded`] when another deployment has replaced what this code maintains;
    /// [`SubscriptionError::Failed`] when the store failed for good.
    ///
    /// # Cancel safety
    /// Dropping the future lets the generations finish their batches and end.
    pub async fn run(&self, shutdown: &CancellationToken) -> Result<(), SubscriptionError> {
        self.shared.set_running(true);
        let _not_running = NotRunning(&self.shared);
        let mut memory = Memory::default();
        let result = loop {
            let turn = tokio::select! {
                biased;
                () = shutdown.cancelled() => {
                    self.shared.set_stopped();
                    break Ok(());
                }
                turn = self.turn(&mut memory) => turn,
            };
            if let Err(error) = turn {
                self.shared.set_failure(Some(describe(&error)));
                break Err(error);
            }
        };
        for follower in memory.followers.values() {
            follower.stop.cancel();
        }
        for follower in memory.followers.values() {
            follower.done.cancelled().await;
        }
        result
    }

    /// Brings what runs in line with what should, then waits until that may have changed.
    async fn turn(&self, memory: &mut Memory) -> Result<(), SubscriptionError> {
        match self.shared.plan(memory.had_live).await {
            Ok(Some(plan)) => {
                self.reconcile(&plan, memory).await;
                match self.wait(&plan, memory).await {
                    Ok(()) => memory.failures = 0,
                    Err(error) => self.back_off(error, memory).await?,
                }
            }
            Ok(None) => return Err(self.superseded()),
            Err(error) => self.back_off(error, memory).await?,
        }
        Ok(())
    }

    async fn reconcile(&self, plan: &Plan, memory: &mut Memory) {
        if plan.follow.is_some() && plan.follow != memory.live {
            memory.had_live = true;
            memory.live = plan.follow;
            memory.drop_at = Some(self.now_plus(self.shared.options.drop_after));
        }
        let wanted = [plan.follow, plan.build];
        let is_wanted = |generation: u32| wanted.contains(&Some(generation));
        let ended: Vec<u32> = memory.followers.keys().copied().filter(|&id| !is_wanted(id)).collect();
        for generation in ended {
            if let Some(follower) = memory.followers.get(&generation) {
                follower.stop.cancel();
                follower.done.cancelled().await;
            }
            memory.followers.remove(&generation);
            self.shared.remove_monitor(generation);
        }
        for generation in wanted.into_iter().flatten() {
            let resumes =
                |follower: &Follower| follower.done.is_cancelled() && follower.monitor.is_to_resume();
            if memory.followers.get(&generation).is_none_or(resumes) {
                memory.followers.insert(generation, self.start(generation));
            }
        }
    }

    /// Waits for the clock, a wake-up, or the next generation's catching up, which it then makes live.
    async fn wait(&self, plan: &Plan, memory: &mut Memory) -> Result<(), StoreError> {
        let clock = &self.shared.deps.environment.clock;
        let check = self.shared.options.generation_check;
        let until_drop = memory.drop_at.map_or(check, |at| elapsed(clock.now(), at).min(check));
        let building =
            plan.build.and_then(|generation| Some((generation, memory.followers.get(&generation)?)));
        tokio::select! {
            biased;
            generation = caught_up(building) => drop(self.shared.switch_to(generation).await?),
            () = self.shared.wake.notified() => {}
            () = clock.sleep(until_drop) => {}
        }
        if memory.drop_at.is_some_and(|at| at <= clock.now()) {
            self.shared.drop_replaced().await?;
            memory.drop_at = None;
        }
        Ok(())
    }

    /// Starts maintaining a generation in the background.
    fn start(&self, generation: u32) -> Follower {
        let Shared { deps, options, .. } = &*self.shared;
        let log = deps.storage.events.signal().clone();
        let clock = Arc::clone(&deps.environment.clock);
        let name = subscription_name(P::NAME, generation);
        let monitor = Monitor::counting(name, clock, log, Arc::clone(&self.shared.changes));
        let (stop, done) = (CancellationToken::new(), CancellationToken::new());
        let end = End { monitor: monitor.clone(), _done: done.clone().drop_guard() };
        let projection = Arc::clone(&self.projection);
        let (shared, token) = (Arc::clone(&self.shared), stop.clone());
        let storage = deps.storage.clone();
        let rows_kept = options.rows_kept;
        let task = async move {
            let mut subscriber = ProjectionSubscriber::new(projection, generation, storage, rows_kept);
            let options = &shared.options.subscription;
            // An error stays in the monitor, for people and for `resume`.
            _ = run(&mut subscriber, &shared.deps, options, &end.monitor, &token).await;
        };
        self.shared.add_monitor(generation, monitor.clone());
        deps.environment.spawner.spawn("projection", Box::pin(task));
        Follower { monitor, stop, done }
    }

    async fn back_off(&self, error: StoreError, memory: &mut Memory) -> Result<(), SubscriptionError> {
        // Fenced: the projection's lease ended during the work, which can be done again under another.
        let passes = error.is_transient() || matches!(error, StoreError::Fenced { .. });
        if !passes {
            return Err(SubscriptionError::Failed { subscription: P::NAME.to_owned(), source: error.into() });
        }
        tracing::warn!(projection = P::NAME, error = &error as &dyn std::error::Error, "trying again");
        memory.failures += 1;
        let Shared { deps, options, .. } = &*self.shared;
        let pause = options.subscription.backoff.pause(memory.failures, &deps.environment);
        deps.environment.clock.sleep(pause).await;
        Ok(())
    }

    fn superseded(&self) -> SubscriptionError {
        let definition = self.shared.seen_live().map(|live| live.definition).unwrap_or_default();
        SubscriptionError::Superseded { subscription: P::NAME.to_owned(), definition }
    }

    fn now_plus(&self, duration: Duration) -> Timestamp {
        composable_rust_core::later(self.shared.deps.environment.now(), duration)
    }
}

/// Completes when the generation being built has caught up.
async fn caught_up(building: Option<(u32, &Follower)>) -> u32 {
    match building {
        Some((generation, follower)) => {
            follower.monitor.state_is(|state| state == SubscriptionState::Live).await;
            generation
        }
        None => std::future::pending().await,
    }
}

/// Tells readers that nobody keeps looking for switches any more.
struct NotRunning<'a>(&'a Shared);

impl Drop for NotRunning<'_> {
    fn drop(&mut self) {
        self.0.set_running(false);
    }
}

/// Marks a generation's end, also when its task panicked or was dropped.
struct End {
    monitor: Monitor,
    _done: DropGuard,
}

impl Drop for End {
    fn drop(&mut self) {
        self.monitor.end_abruptly();
    }
}
