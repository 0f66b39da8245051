//! The same effects with other actions or other names: what composition needs.

use super::{Delay, Effect, EffectId, Effects, Identified, Source, Spaced, Task};
use futures_util::StreamExt;

impl<A: Send + 'static> Effects<A> {
    /// The same effects, whose actions pass through `f`. Allocates once for each effect, once more where one is around others,
    /// and nothing for none.
    pub fn map<B, F>(self, f: F) -> Effects<B>
    where
        B: Send + 'static,
        F: Fn(A) -> B + Clone + Send + 'static,
    {
        self.into_iter().map(|effect| effect.map(f.clone())).collect()
    }

    /// The same effects, whose names ([`EffectId`]) lie inside `scope`. Allocates once for each name.
    pub fn within(self, scope: &str) -> Self {
        self.into_iter().map(|effect| effect.within(scope)).collect()
    }
}

impl<A: Send + 'static> Effect<A> {
    /// The same effect, whose actions pass through `f`.
    #[must_use]
    pub fn map<B, F>(self, f: F) -> Effect<B>
    where
        B: Send + 'static,
        F: Fn(A) -> B + Clone + Send + 'static,
    {
        match self {
            Self::Future(task) => {
                let name = task.name().clone();
                Effect::Future(Task::new(name, async move { task.await.map(f) }))
            }
            Self::Stream(source) => Effect::Stream(Source::new(source.name().clone(), source.map(f))),
            Self::Delay(delay) => {
                Effect::Delay(Box::new(Delay { after: delay.after, action: f(delay.action) }))
            }
            Self::Parallel(effects) => Effect::Parallel(map_all(effects, &f)),
            Self::Sequential(effects) => Effect::Sequential(map_all(effects, &f)),
            Self::AppendEvents(call) => Effect::AppendEvents(call.map(f)),
            Self::LoadEvents(call) => Effect::LoadEvents(call.map(f)),
            Self::SaveSnapshot(call) => Effect::SaveSnapshot(call.map(f)),
            Self::LoadSnapshot(call) => Effect::LoadSnapshot(call.map(f)),
            Self::Notify(notice) => Effect::Notify(notice),
            Self::Dispatch(call) => Effect::Dispatch(call.map(f)),
            Self::ScheduleTimer(call) => Effect::ScheduleTimer(call.map(f)),
            Self::CancelTimer(call) => Effect::CancelTimer(call.map(f)),
            Self::Cancellable(inner) => {
                Effect::Cancellable(Box::new(Identified { id: inner.id, effect: inner.effect.map(f) }))
            }
            Self::Cancel(id) => Effect::Cancel(id),
            Self::Debounce(spaced) => Effect::Debounce(Box::new(spaced.map(f))),
            Self::Throttle(spaced) => Effect::Throttle(Box::new(spaced.map(f))),
        }
    }

    fn within(self, scope: &str) -> Self {
        match self {
            Self::Parallel(effects) => Self::Parallel(all_within(effects, scope)),
            Self::Sequential(effects) => Self::Sequential(all_within(effects, scope)),
            Self::Cancellable(mut inner) => {
                *inner = Identified { id: inner.id.within(scope), effect: inner.effect.within(scope) };
                Self::Cancellable(inner)
            }
            Self::Cancel(mut id) => {
                *id = EffectId::within(&id, scope);
                Self::Cancel(id)
            }
            Self::Debounce(mut spaced) => {
                *spaced = spaced.within(scope);
                Self::Debounce(spaced)
            }
            Self::Throttle(mut spaced) => {
                *spaced = spaced.within(scope);
                Self::Throttle(spaced)
            }
            // These have no name of their own.
            nameless @ (Self::Future(_)
            | Self::Stream(_)
            | Self::Delay(_)
            | Self::AppendEvents(_)
            | Self::LoadEvents(_)
            | Self::SaveSnapshot(_)
            | Self::LoadSnapshot(_)
            | Self::Notify(_)
            | Self::Dispatch(_)
            | Self::ScheduleTimer(_)
            | Self::CancelTimer(_)) => nameless,
        }
    }
}

impl<A: Send + 'static> Spaced<A> {
    fn map<B: Send + 'static>(self, f: impl Fn(A) -> B + Clone + Send + 'static) -> Spaced<B> {
        Spaced { id: self.id, span: self.span, effect: self.effect.map(f) }
    }

    fn within(self, scope: &str) -> Self {
        Self { id: self.id.within(scope), span: self.span, effect: self.effect.within(scope) }
    }
}

fn map_all<A, B, F>(effects: Box<[Effect<A>]>, f: &F) -> Box<[Effect<B>]>
where
    A: Send + 'static,
    B: Send + 'static,
    F: Fn(A) -> B + Clone + Send + 'static,
{
    effects.into_iter().map(|effect| effect.map(f.clone())).collect()
}

fn all_within<A: Send + 'static>(effects: Box<[Effect<A>]>, scope: &str) -> Box<[Effect<A>]> {
    effects.into_iter().map(|effect| effect.within(scope)).collect()
}
