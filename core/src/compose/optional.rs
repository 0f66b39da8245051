//! A child that is there or not.

use super::{CasePath, Lens};
use crate::{Effects, Reducer};
use std::fmt;

/// See [`Compose::if_let`](super::Compose::if_let).
///
/// An action for a child that is not there does nothing: it was closed while an effect was under way. Combine the
/// parent *after* it when the parent's answer to the same action is to close the child. Names of effects lie inside the
/// lens's name, so that siblings never cancel each other's.
pub struct IfLet<R: Reducer, S, A> {
    child: R,
    lens: Lens<S, Option<R::State>>,
    case: CasePath<A, R::Action>,
}

impl<R: Reducer, S, A> IfLet<R, S, A> {
    pub(super) const fn new(child: R, lens: Lens<S, Option<R::State>>, case: CasePath<A, R::Action>) -> Self {
        Self { child, lens, case }
    }
}

impl<R, S, A> Reducer for IfLet<R, S, A>
where
    R: Reducer<Action: Send + 'static>,
    A: Send + 'static,
{
    type State = S;
    type Action = A;
    type Environment = R::Environment;

    fn reduce(&self, state: &mut S, action: A, environment: &R::Environment) -> Effects<A> {
        let Ok(action) = self.case.extract(action) else { return Effects::none() };
        let Some(child) = self.lens.get_mut(state) else { return Effects::none() };
        let case = self.case;
        let effects = self.child.reduce(child, action, environment);
        effects.within(self.lens.name()).map(move |action| case.embed(action))
    }
}

impl<R: Reducer + fmt::Debug, S, A> fmt::Debug for IfLet<R, S, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IfLet").field(&self.child).finish()
    }
}
