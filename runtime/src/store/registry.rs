//! The names of effects: cancelling, debouncing and throttling by id.
//!
//! What an effect means for others with its name is settled when it is planned, in the order in which reducers asked;
//! running it comes later. So a cancel never misses an effect that was asked for before it.

use composable_rust_core::{Effect, EffectId, elapsed};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Names above which forgotten throttles are swept out.
const SWEEP_AT: usize = 64;

/// An effect that may begin.
pub(crate) struct Planned<A> {
    pub(crate) effect: Effect<A>,
    /// How long to wait before it begins.
    pub(crate) wait: Duration,
    /// What cancels it.
    pub(crate) token: Option<CancellationToken>,
    /// Taken away when it has ended.
    pub(crate) names: Vec<Registration>,
}

#[derive(Debug, Default)]
pub(crate) struct Registry {
    names: Mutex<Names>,
}

#[derive(Debug, Default)]
struct Names {
    ticket: u64,
    under_way: BTreeMap<EffectId, Vec<(u64, CancellationToken)>>,
    throttled: BTreeMap<EffectId, (Timestamp, Duration)>,
}

impl Registry {
    /// Settles what `effect` means for others with its name.
    ///
    /// # Errors
    /// When nothing is left to run: an effect that was held back, to be dropped where no lock is held.
    pub(crate) fn plan<A>(
        self: &Arc<Self>,
        effect: Effect<A>,
        now: &dyn Fn() -> Timestamp,
    ) -> Result<Planned<A>, Option<Effect<A>>> {
        match effect {
            Effect::Cancel(id) => {
                self.cancel(&id);
                Err(None)
            }
            Effect::Cancellable(inner) => {
                let inner = *inner;
                let planned = self.plan(inner.effect, now)?;
                Ok(planned.named(|token| self.register(inner.id, token)))
            }
            Effect::Debounce(spaced) => {
                let spaced = *spaced;
                self.cancel(&spaced.id);
                let planned = Planned { wait: spaced.span, ..Planned::new(spaced.effect) };
                Ok(planned.named(|token| self.register(spaced.id, token)))
            }
            Effect::Throttle(spaced) => {
                let spaced = *spaced;
                if self.may_begin(spaced.id, spaced.span, now()) {
                    self.plan(spaced.effect, now)
                } else {
                    Err(Some(spaced.effect))
                }
            }
            nameless @ (Effect::Future(_)
            | Effect::Stream(_)
            | Effect::Delay(_)
            | Effect::Parallel(_)
            | Effect::Sequential(_)
            | Effect::AppendEvents(_)
            | Effect::LoadEvents(_)
            | Effect::SaveSnapshot(_)
            | Effect::LoadSnapshot(_)
            | Effect::Notify(_)
            | Effect::Dispatch(_)
            | Effect::ScheduleTimer(_)
            | Effect::CancelTimer(_)) => Ok(Planned::new(nameless)),
        }
    }

    fn cancel(&self, id: &EffectId) {
        let tokens = self.lock().under_way.remove(id).unwrap_or_default();
        for (_, token) in tokens {
            token.cancel();
        }
    }

    fn register(self: &Arc<Self>, id: EffectId, token: &CancellationToken) -> Registration {
        let mut names = self.lock();
        names.ticket += 1;
        let ticket = names.ticket;
        names.under_way.entry(id.clone()).or_default().push((ticket, token.clone()));
        Registration { registry: Arc::clone(self), id, ticket }
    }

    fn forget(&self, id: &EffectId, ticket: u64) {
        let mut names = self.lock();
        if let Some(tokens) = names.under_way.get_mut(id) {
            tokens.retain(|(other, _)| *other != ticket);
            if tokens.is_empty() {
                names.under_way.remove(id);
            }
        }
    }

    fn may_begin(&self, id: EffectId, span: Duration, now: Timestamp) -> bool {
        let mut names = self.lock();
        if names.throttled.len() >= SWEEP_AT {
            names.throttled.retain(|_, (begun, span)| elapsed(*begun, now) < *span);
        }
        let quiet = names.throttled.get(&id).is_none_or(|(begun, _)| elapsed(*begun, now) >= span);
        if quiet {
            names.throttled.insert(id, (now, span));
        }
        quiet
    }

    fn lock(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<A> Planned<A> {
    fn new(effect: Effect<A>) -> Self {
        Self { effect, wait: Duration::ZERO, token: None, names: Vec::new() }
    }

    /// One token stands for all names of an effect.
    fn named(mut self, register: impl FnOnce(&CancellationToken) -> Registration) -> Self {
        let token = self.token.get_or_insert_with(CancellationToken::new);
        self.names.push(register(token));
        self
    }

    /// Whether it spends its time waiting.
    pub(crate) fn waits(&self) -> bool {
        !self.wait.is_zero() || waits(&self.effect)
    }
}

/// Takes the name away when the effect has ended, however it ended.
pub(crate) struct Registration {
    registry: Arc<Registry>,
    id: EffectId,
    ticket: u64,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.registry.forget(&self.id, self.ticket);
    }
}

fn waits<A>(effect: &Effect<A>) -> bool {
    match effect {
        Effect::Delay(_) | Effect::Stream(_) | Effect::Debounce(_) => true,
        Effect::Parallel(effects) | Effect::Sequential(effects) => effects.iter().any(waits),
        Effect::Cancellable(inner) => waits(&inner.effect),
        Effect::Throttle(spaced) => waits(&spaced.effect),
        // Work that ends by itself.
        Effect::Future(_)
        | Effect::AppendEvents(_)
        | Effect::LoadEvents(_)
        | Effect::SaveSnapshot(_)
        | Effect::LoadSnapshot(_)
        | Effect::Notify(_)
        | Effect::Dispatch(_)
        | Effect::ScheduleTimer(_)
        | Effect::CancelTimer(_)
        | Effect::Cancel(_) => false,
    }
}
