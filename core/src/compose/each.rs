//! Keyed children within a parent.

use super::{CasePath, Lens};
use crate::keyed::joined;
use crate::{Effects, Reducer};
use std::collections::BTreeMap;
use std::fmt;

/// See [`Compose::for_each`](super::Compose::for_each).
///
/// An action for a key that is not there does nothing: the child was removed while an effect was under way. Names of
/// effects lie inside the lens's name and their key (`lines/7/idle`), so that neither siblings nor children with an equal
/// key in another collection cancel each other's. A `/` in a key is written `\/`: keys are data.
pub struct ForEach<R: Reducer, S, A, K> {
    child: R,
    lens: Lens<S, BTreeMap<K, R::State>>,
    case: CasePath<A, (K, R::Action)>,
}

impl<R: Reducer, S, A, K> ForEach<R, S, A, K> {
    pub(super) const fn new(
        child: R,
        lens: Lens<S, BTreeMap<K, R::State>>,
        case: CasePath<A, (K, R::Action)>,
    ) -> Self {
        Self { child, lens, case }
    }
}

impl<R, S, A, K> Reducer for ForEach<R, S, A, K>
where
    R: Reducer<Action: Send + 'static>,
    A: Send + 'static,
    K: Ord + Clone + fmt::Display + Send + 'static,
{
    type State = S;
    type Action = A;
    type Environment = R::Environment;

    fn reduce(&self, state: &mut S, action: A, environment: &R::Environment) -> Effects<A> {
        let Ok((key, action)) = self.case.extract(action) else { return Effects::none() };
        let Some(child) = self.lens.get_mut(state).get_mut(&key) else { return Effects::none() };
        let effects = self.child.reduce(child, action, environment);
        if effects.is_empty() {
            return Effects::none();
        }
        let case = self.case;
        let scope = joined(&[&self.lens.name(), &key]);
        effects.within(&scope).map(move |action| case.embed((key.clone(), action)))
    }
}

impl<R: Reducer + fmt::Debug, S, A, K> fmt::Debug for ForEach<R, S, A, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ForEach").field(&self.child).finish()
    }
}
