//! How each kind of effect is carried out; the store and the `TestStore` share it.
//!
//! It spawns nothing and limits nothing: whoever drives the futures does.

use super::registry::{Planned, Registry};
use composable_rust_core::effect::{EffectHost, Source};
use composable_rust_core::{Clock, Effect};
use futures_util::future::{BoxFuture, join_all};
use futures_util::{FutureExt, StreamExt};
use std::fmt;
use std::sync::Arc;

/// Takes the actions that come back from effects.
pub trait Sink<A>: Send + Sync {
    /// Takes one.
    fn feed(&self, action: A);

    /// Whether nothing is taken any more, so that a stream ends.
    fn is_closed(&self) -> bool {
        false
    }

    /// Whether a stream may go on.
    fn has_room(&self) -> bool {
        true
    }

    /// Completes when a stream may go on.
    fn room(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// Carries out effects of one store.
#[derive(Debug, Clone)]
pub struct Interpreter {
    clock: Arc<dyn Clock>,
    host: Arc<dyn EffectHost>,
    registry: Arc<Registry>,
}

/// An effect whose name is settled; see [`Interpreter::plan`].
pub struct Plan<A>(pub(crate) Planned<A>);

impl<A> fmt::Debug for Plan<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Plan").field(&self.0.effect).finish()
    }
}

impl Interpreter {
    /// An interpreter that waits by `clock` and asks `host`.
    pub fn new(clock: Arc<dyn Clock>, host: Arc<dyn EffectHost>) -> Self {
        Self { clock, host, registry: Arc::default() }
    }

    /// Settles names and times: cancels, debounces, throttles. Call it in the order in which reducers asked.
    ///
    /// # Errors
    /// When nothing is left to run: an effect that was held back, to be dropped where no lock is held.
    pub fn plan<A>(&self, effect: Effect<A>) -> Result<Plan<A>, Option<Effect<A>>> {
        self.registry.plan(effect, &|| self.clock.now()).map(Plan)
    }

    /// Carries out a planned effect and feeds what comes back.
    ///
    /// # Cancel safety
    /// Dropping the future cancels the effect; what its host was doing happens whole or not at all.
    pub async fn run<A: Send + 'static>(&self, plan: Plan<A>, sink: &dyn Sink<A>) {
        let Plan(mut planned) = plan;
        match planned.token.take() {
            None => self.begin(planned, sink).await,
            Some(token) => {
                tokio::select! {
                    biased;
                    () = token.cancelled() => {}
                    () = self.begin(planned, sink) => {}
                }
            }
        }
    }

    async fn begin<A: Send + 'static>(&self, planned: Planned<A>, sink: &dyn Sink<A>) {
        // The names stay taken until the effect has ended.
        let Planned { effect, wait, names: _names, token: _ } = planned;
        if wait.is_zero() {
            self.perform(effect, sink).await;
        } else {
            self.clock.sleep(wait).await;
            self.nested(effect, sink).await;
        }
    }

    async fn perform<A: Send + 'static>(&self, effect: Effect<A>, sink: &dyn Sink<A>) {
        let host = self.host.as_ref();
        let action = match effect {
            Effect::Future(task) => task.await,
            Effect::Delay(delay) => {
                self.clock.sleep(delay.after).await;
                Some(delay.action)
            }
            Effect::AppendEvents(call) => call.perform(host).await,
            Effect::LoadEvents(call) => call.perform(host).await,
            Effect::SaveSnapshot(call) => call.perform(host).await,
            Effect::LoadSnapshot(call) => call.perform(host).await,
            Effect::Dispatch(call) => call.perform(host).await,
            Effect::ScheduleTimer(call) => call.perform(host).await,
            Effect::CancelTimer(call) => call.perform(host).await,
            Effect::Notify(notice) => {
                host.notify(*notice).await;
                None
            }
            Effect::Stream(source) => {
                follow(source, sink).await;
                None
            }
            group @ (Effect::Parallel(_)
            | Effect::Sequential(_)
            | Effect::Cancellable(_)
            | Effect::Cancel(_)
            | Effect::Debounce(_)
            | Effect::Throttle(_)) => {
                self.nested(group, sink).await;
                None
            }
        };
        if let Some(action) = action {
            sink.feed(action);
        }
    }

    /// Boxed, because effects contain effects.
    fn nested<'a, A: Send + 'static>(
        &'a self,
        effect: Effect<A>,
        sink: &'a dyn Sink<A>,
    ) -> BoxFuture<'a, ()> {
        match effect {
            Effect::Parallel(effects) => {
                let all = effects.into_iter().map(|effect| self.nested(effect, sink));
                Box::pin(join_all(all).map(drop))
            }
            Effect::Sequential(effects) => Box::pin(async move {
                let mut budget = Budget::default();
                for effect in effects {
                    self.nested(effect, sink).await;
                    budget.spend().await;
                }
            }),
            single @ (Effect::Future(_)
            | Effect::Stream(_)
            | Effect::Delay(_)
            | Effect::AppendEvents(_)
            | Effect::LoadEvents(_)
            | Effect::SaveSnapshot(_)
            | Effect::LoadSnapshot(_)
            | Effect::Notify(_)
            | Effect::Dispatch(_)
            | Effect::ScheduleTimer(_)
            | Effect::CancelTimer(_)
            | Effect::Cancellable(_)
            | Effect::Cancel(_)
            | Effect::Debounce(_)
            | Effect::Throttle(_)) => Box::pin(async move {
                if let Ok(plan) = self.plan(single) {
                    self.run(plan, sink).await;
                }
            }),
        }
    }
}

async fn follow<A>(mut source: Source<A>, sink: &dyn Sink<A>) {
    let mut budget = Budget::default();
    while !sink.is_closed() {
        if !sink.has_room() {
            sink.room().await;
        }
        let Some(action) = source.next().await else { return };
        sink.feed(action);
        budget.spend().await;
    }
}

/// Lets others run now and then, a cancel or a shutdown among them, however ready everything always is.
///
/// Counted here, because tokio's own budget is none outside a tokio task, such as in a simulation.
#[derive(Debug, Default)]
pub(super) struct Budget {
    spent: u32,
}

impl Budget {
    /// So many in one turn.
    const ITEMS: u32 = 32;

    /// Notes one thing done; every so many of them, gives the turn away.
    pub(super) async fn spend(&mut self) {
        self.spent += 1;
        if self.spent == Self::ITEMS {
            self.spent = 0;
            tokio::task::yield_now().await;
        }
    }
}
