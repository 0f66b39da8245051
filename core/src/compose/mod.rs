//! Big reducers from small ones: combine, scope, keyed children, an optional child.
//!
//! Composition is plain data and plain functions: a [`Lens`] says where a child's state lies, a [`CasePath`] which of
//! the parent's actions are the child's. The laws are tested in `tests/it/compose.rs`.

mod combine;
mod each;
mod optional;
mod path;
mod scope;

pub use combine::{Combine, Nothing};
pub use each::ForEach;
pub use optional::IfLet;
pub use path::{CasePath, Lens};
pub use scope::{InEnvironment, Scope};

use crate::Reducer;

/// Joins reducers; every [`Reducer`] has it.
///
/// ```
/// use composable_rust_core::compose::{CasePath, Compose};
/// use composable_rust_core::{Effects, Reducer, lens, reducer};
///
/// #[derive(Debug, Default)]
/// struct App { count: u32, clicks: u32 }
/// #[derive(Debug, Clone)]
/// enum AppAction { Counter(u32) }
///
/// let counter = reducer(|count: &mut u32, by: u32, (): &()| { *count += by; Effects::none() });
/// let clicks = reducer(|app: &mut App, AppAction::Counter(_), (): &()| { app.clicks += 1; Effects::none() });
///
/// let case = CasePath::new(AppAction::Counter, |AppAction::Counter(by)| Ok(by));
/// let app = counter.scope(lens!(App, count), case).combine(clicks);
///
/// let mut state = App::default();
/// let _ = app.reduce(&mut state, AppAction::Counter(3), &());
/// assert_eq!((state.count, state.clicks), (3, 1));
/// ```
pub trait Compose: Reducer + Sized {
    /// This one, then `next`, on the same state and action; their effects are merged.
    fn combine<R>(self, next: R) -> Combine<Self, R>
    where
        Self::Action: Clone,
        R: Reducer<State = Self::State, Action = Self::Action, Environment = Self::Environment>,
    {
        Combine::new(self, next)
    }

    /// This one as a part of a parent: on the state that `lens` finds, for the actions that `case` extracts.
    fn scope<S, A>(self, lens: Lens<S, Self::State>, case: CasePath<A, Self::Action>) -> Scope<Self, S, A> {
        Scope::new(self, lens, case)
    }

    /// This one for each child of a keyed collection; an action names its child.
    fn for_each<S, A, K>(
        self,
        lens: Lens<S, std::collections::BTreeMap<K, Self::State>>,
        case: CasePath<A, (K, Self::Action)>,
    ) -> ForEach<Self, S, A, K> {
        ForEach::new(self, lens, case)
    }

    /// This one for a child that is there or not.
    fn if_let<S, A>(
        self,
        lens: Lens<S, Option<Self::State>>,
        case: CasePath<A, Self::Action>,
    ) -> IfLet<Self, S, A> {
        IfLet::new(self, lens, case)
    }

    /// This one where the environment is a larger one.
    fn in_environment<E>(self, part: fn(&E) -> &Self::Environment) -> InEnvironment<Self, E> {
        InEnvironment::new(self, part)
    }
}

impl<R: Reducer> Compose for R {}
