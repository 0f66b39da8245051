//! What a reducer returns: none, one or several effects, and the ways to make and join them.

use super::{
    AppendEvents, CancelTimer, Delay, DispatchCommand, DispatchError, Dispatched, Effect, EffectId, HostCall,
    HostRequest, Identified, LoadEvents, LoadSnapshot, Notice, Notification, SaveSnapshot, ScheduleTimer,
    Source, Spaced, Task,
};
use crate::port::{AppendError, Appended, Snapshot, StoreError};
use crate::{Command, Decider, DeciderOf, IntoKey, RecordedEvent};
use futures_util::Stream;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// Effects that are to be done side by side. None allocates nothing; each is one allocation, besides what it carries: an
/// encoded command, event, snapshot or notification, a list of more than four. An effect around others (`cancellable`,
/// `debounce`, `throttle`, `concat`) is one of its own.
///
/// A reply is a function from the outcome to an action, or to an `Option` of one: `Action::Saved`,
/// `|result| match result { … }`, `|_| None`.
///
/// ```
/// use composable_rust_core::Effects;
/// use std::time::Duration;
///
/// #[derive(Debug, Clone, PartialEq)]
/// enum Action { Found(u32), Tick }
///
/// let search = Effects::future("search", async { Action::Found(1) }).cancellable("search");
/// let effects = Effects::cancel("search").merge(search).merge(Effects::delay(Duration::from_secs(1), Action::Tick));
/// let lines: Vec<_> = effects.describe().iter().map(ToString::to_string).collect();
/// assert_eq!(lines, ["cancel search", "cancellable search\n  future search", "delay 1s: Tick"]);
/// ```
#[must_use = "effects do nothing unless a reducer returns them"]
pub struct Effects<A> {
    list: SmallVec<[Effect<A>; 4]>,
}

impl<A> Effects<A> {
    /// Nothing to do.
    pub fn none() -> Self {
        Self { list: SmallVec::new() }
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Them, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Effect<A>> {
        self.list.iter()
    }

    /// These and `other`, side by side.
    pub fn merge(mut self, other: Self) -> Self {
        if self.list.is_empty() {
            return other;
        }
        self.list.extend(other.list);
        self
    }

    /// These, and once they are done, `other`.
    pub fn concat(self, other: Self) -> Self {
        Self::sequential([self, other])
    }

    /// All of them, side by side.
    pub fn parallel(all: impl IntoIterator<Item = Self>) -> Self {
        all.into_iter().fold(Self::none(), Self::merge)
    }

    /// All of them, one after the other.
    pub fn sequential(all: impl IntoIterator<Item = Self>) -> Self {
        let mut steps = SmallVec::<[Effect<A>; 4]>::new();
        for step in all.into_iter().filter_map(Self::into_one) {
            // The steps of a sequence become steps of this one, so that `concat` is associative.
            if let Effect::Sequential(inner) = step {
                steps.extend(inner);
            } else {
                steps.push(step);
            }
        }
        if steps.len() > 1 { Effect::Sequential(boxed(steps)).into() } else { Self { list: steps } }
    }

    /// Each of them, cancellable by `id`.
    pub fn cancellable(self, id: impl Into<EffectId>) -> Self {
        let id = id.into();
        let named = |effect| Effect::Cancellable(Box::new(Identified { id: id.clone(), effect }));
        self.list.into_iter().map(named).collect()
    }

    /// Cancels everything under way with this id. An append that was begun may still happen.
    pub fn cancel(id: impl Into<EffectId>) -> Self {
        Effect::Cancel(Box::new(id.into())).into()
    }

    /// Them, once nothing else was debounced with this id for `span`; each call drops the one before, even when that
    /// one is under way.
    pub fn debounce(self, id: impl Into<EffectId>, span: Duration) -> Self {
        let spaced = |effect| Spaced { id: id.into(), span, effect };
        self.into_one().map(|effect| Effect::Debounce(Box::new(spaced(effect)))).into_iter().collect()
    }

    /// Them, unless others were begun with this id less than `span` ago; then they are dropped.
    pub fn throttle(self, id: impl Into<EffectId>, span: Duration) -> Self {
        let spaced = |effect| Spaced { id: id.into(), span, effect };
        self.into_one().map(|effect| Effect::Throttle(Box::new(spaced(effect)))).into_iter().collect()
    }

    fn into_one(mut self) -> Option<Effect<A>> {
        if self.list.len() > 1 {
            return Some(Effect::Parallel(boxed(self.list)));
        }
        self.list.pop()
    }
}

impl<A: Send + 'static> Effects<A> {
    /// Awaits `future`; the action it gives, if any, comes back.
    pub fn future<F>(name: impl Into<Cow<'static, str>>, future: F) -> Self
    where
        F: Future<Output: Into<Option<A>>> + Send + 'static,
    {
        Effect::Future(Task::new(name, future)).into()
    }

    /// Follows `stream`; each item comes back. It ends when the store shuts down, at the latest.
    pub fn stream<S>(name: impl Into<Cow<'static, str>>, stream: S) -> Self
    where
        S: Stream<Item = A> + Send + 'static,
    {
        Effect::Stream(Source::new(name, stream)).into()
    }

    /// Gives back `action` after a while. Lost with the store; what must survive is [`Self::schedule_timer`].
    pub fn delay(after: Duration, action: A) -> Self {
        Effect::Delay(Box::new(Delay { after, action })).into()
    }

    /// Appends events.
    pub fn append_events<R: Into<Option<A>>>(
        request: AppendEvents,
        reply: impl FnOnce(Result<Appended, AppendError>) -> R + Send + 'static,
    ) -> Self {
        Self::ask(request, reply)
    }

    /// Reads events.
    pub fn load_events<R: Into<Option<A>>>(
        request: LoadEvents,
        reply: impl FnOnce(Result<Vec<RecordedEvent>, StoreError>) -> R + Send + 'static,
    ) -> Self {
        Self::ask(request, reply)
    }

    /// Saves a snapshot.
    pub fn save_snapshot<R: Into<Option<A>>>(
        request: SaveSnapshot,
        reply: impl FnOnce(Result<(), StoreError>) -> R + Send + 'static,
    ) -> Self {
        Self::ask(request, reply)
    }

    /// Loads a snapshot.
    pub fn load_snapshot<R: Into<Option<A>>>(
        request: LoadSnapshot,
        reply: impl FnOnce(Result<Option<Snapshot>, StoreError>) -> R + Send + 'static,
    ) -> Self {
        Self::ask(request, reply)
    }

    /// Tells whoever listens now, at most once.
    pub fn notify<N: Notification>(notification: &N) -> Self {
        Effect::Notify(Box::new(Notice::of(notification))).into()
    }

    /// Executes `command` on the aggregate `key`.
    pub fn dispatch<C: Command, R: Into<Option<A>>>(
        key: impl IntoKey<crate::KeyOf<DeciderOf<C>>>,
        command: &C,
        reply: impl FnOnce(Result<Dispatched, DispatchError<<DeciderOf<C> as Decider>::Rejection>>) -> R
        + Send
        + 'static,
    ) -> Self {
        Self::ask(DispatchCommand::new(key, command), |outcome| reply(outcome.map_err(DispatchError::typed)))
    }

    /// Sets a durable timer.
    pub fn schedule_timer<R: Into<Option<A>>>(
        request: ScheduleTimer,
        reply: impl FnOnce(Result<(), AppendError>) -> R + Send + 'static,
    ) -> Self {
        Self::ask(request, reply)
    }

    /// Removes a durable timer.
    pub fn cancel_timer<R: Into<Option<A>>>(
        request: CancelTimer,
        reply: impl FnOnce(Result<(), AppendError>) -> R + Send + 'static,
    ) -> Self {
        Self::ask(request, reply)
    }

    /// Asks the host for any request.
    pub fn ask<Q: HostRequest, R: Into<Option<A>>>(
        request: Q,
        reply: impl FnOnce(Q::Outcome) -> R + Send + 'static,
    ) -> Self {
        Q::into_effect(HostCall::new(request, reply)).into()
    }
}

impl<A> From<Effect<A>> for Effects<A> {
    fn from(effect: Effect<A>) -> Self {
        Self::from_iter([effect])
    }
}

impl<A> FromIterator<Effect<A>> for Effects<A> {
    fn from_iter<I: IntoIterator<Item = Effect<A>>>(effects: I) -> Self {
        Self { list: effects.into_iter().collect() }
    }
}

impl<A> IntoIterator for Effects<A> {
    type Item = Effect<A>;
    type IntoIter = smallvec::IntoIter<[Effect<A>; 4]>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

impl<'a, A> IntoIterator for &'a Effects<A> {
    type Item = &'a Effect<A>;
    type IntoIter = std::slice::Iter<'a, Effect<A>>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

impl<A> Default for Effects<A> {
    fn default() -> Self {
        Self::none()
    }
}

impl<A> fmt::Debug for Effects<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.list).finish()
    }
}

/// What `append_events!` expands to. Not for people.
#[doc(hidden)]
pub fn append_or_else<A, R, S>(
    request: AppendEvents,
    on_success: impl FnOnce(Appended) -> R + Send + 'static,
    on_error: impl FnOnce(AppendError) -> S + Send + 'static,
) -> Effects<A>
where
    A: Send + 'static,
    R: Into<Option<A>>,
    S: Into<Option<A>>,
{
    Effects::append_events(request, |outcome| match outcome {
        Ok(appended) => on_success(appended).into(),
        Err(error) => on_error(error).into(),
    })
}

/// The list in one allocation of its size; growing and shrinking would be more.
fn boxed<A>(list: SmallVec<[Effect<A>; 4]>) -> Box<[Effect<A>]> {
    let mut exact = Vec::with_capacity(list.len());
    exact.extend(list);
    exact.into_boxed_slice()
}
