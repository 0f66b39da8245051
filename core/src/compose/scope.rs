//! A child within a parent.

use super::{CasePath, Lens};
use crate::{Effects, Reducer};
use std::fmt;

/// See [`Compose::scope`](super::Compose::scope). Actions of other cases are left alone. Names of effects lie inside the
/// lens's name, so that siblings never cancel each other's.
pub struct Scope<R: Reducer, S, A> {
    child: R,
    lens: Lens<S, R::State>,
    case: CasePath<A, R::Action>,
}

impl<R: Reducer, S, A> Scope<R, S, A> {
    pub(super) const fn new(child: R, lens: Lens<S, R::State>, case: CasePath<A, R::Action>) -> Self {
        Self { child, lens, case }
    }
}

impl<R, S, A> Reducer for Scope<R, S, A>
where
    R: Reducer<Action: Send + 'static>,
    A: Send + 'static,
{
    type State = S;
    type Action = A;
    type Environment = R::Environment;

    fn reduce(&self, state: &mut S, action: A, environment: &R::Environment) -> Effects<A> {
        let Ok(action) = self.case.extract(action) else { return Effects::none() };
        let case = self.case;
        let effects = self.child.reduce(self.lens.get_mut(state), action, environment);
        effects.within(self.lens.name()).map(move |action| case.embed(action))
    }
}

impl<R: Reducer + fmt::Debug, S, A> fmt::Debug for Scope<R, S, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Scope").field(&self.child).finish()
    }
}

/// See [`Compose::in_environment`](super::Compose::in_environment).
pub struct InEnvironment<R: Reducer, E> {
    inner: R,
    part: fn(&E) -> &R::Environment,
}

impl<R: Reducer, E> InEnvironment<R, E> {
    pub(super) const fn new(inner: R, part: fn(&E) -> &R::Environment) -> Self {
        Self { inner, part }
    }
}

impl<R: Reducer, E> Reducer for InEnvironment<R, E> {
    type State = R::State;
    type Action = R::Action;
    type Environment = E;

    fn reduce(&self, state: &mut R::State, action: R::Action, environment: &E) -> Effects<R::Action> {
        self.inner.reduce(state, action, (self.part)(environment))
    }
}

impl<R: Reducer + fmt::Debug, E> fmt::Debug for InEnvironment<R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InEnvironment").field(&self.inner).finish()
    }
}
