//! Two reducers on one state, and the reducer that does nothing.

use crate::{Effects, Reducer};
use std::fmt;
use std::marker::PhantomData;

/// See [`Compose::combine`](super::Compose::combine). Associative, with [`Nothing`] on either side as identity.
#[derive(Debug, Clone, Copy)]
pub struct Combine<R, Q> {
    first: R,
    next: Q,
}

impl<R, Q> Combine<R, Q> {
    pub(super) const fn new(first: R, next: Q) -> Self {
        Self { first, next }
    }
}

impl<R, Q> Reducer for Combine<R, Q>
where
    R: Reducer<Action: Clone>,
    Q: Reducer<State = R::State, Action = R::Action, Environment = R::Environment>,
{
    type State = R::State;
    type Action = R::Action;
    type Environment = R::Environment;

    fn reduce(
        &self,
        state: &mut R::State,
        action: R::Action,
        environment: &R::Environment,
    ) -> Effects<R::Action> {
        let effects = self.first.reduce(state, action.clone(), environment);
        effects.merge(self.next.reduce(state, action, environment))
    }
}

/// The reducer that changes nothing and wants nothing done.
pub struct Nothing<S, A, E>(PhantomData<fn(S, A, E)>);

impl<S, A, E> Nothing<S, A, E> {
    /// The reducer that does nothing.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<S, A, E> Reducer for Nothing<S, A, E> {
    type State = S;
    type Action = A;
    type Environment = E;

    fn reduce(&self, _: &mut S, _: A, _: &E) -> Effects<A> {
        Effects::none()
    }
}

impl<S, A, E> Default for Nothing<S, A, E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S, A, E> fmt::Debug for Nothing<S, A, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nothing")
    }
}
