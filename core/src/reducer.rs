//! The base model: a pure function from state and action to a new state and effects as data.
//!
//! Nothing runs here. `runtime`'s `Store` performs the effects, `testing`'s `TestStore` asserts them.

use crate::{Action, ActionHalf, CommandId, Context, Decider, Effects, Environment, EventOf};
use std::fmt;
use std::marker::PhantomData;

/// Changes a state by an action, and says as data what is to be done.
///
/// Pure and synchronous: no I/O, and time, ids and randomness only from the environment. Use it for what lives in
/// memory (a session, a wizard); what must survive is a [`Decider`].
///
/// ```
/// use composable_rust_core::{Effects, Environment, Reducer};
/// use std::time::Duration;
///
/// #[derive(Debug, Clone, PartialEq)]
/// enum Session { Typed, FellIdle }
///
/// struct Idle;
/// impl Reducer for Idle {
///     type State = bool;
///     type Action = Session;
///     type Environment = Environment;
///     fn reduce(&self, idle: &mut bool, action: Session, _: &Environment) -> Effects<Session> {
///         *idle = action == Session::FellIdle;
///         match action {
///             Session::Typed => Effects::cancel("idle")
///                 .merge(Effects::delay(Duration::from_secs(60), Session::FellIdle).cancellable("idle")),
///             Session::FellIdle => Effects::none(),
///         }
///     }
/// }
/// ```
pub trait Reducer {
    /// What it changes.
    type State;
    /// What may happen.
    type Action;
    /// What it may ask besides state and action.
    type Environment;

    /// Changes the state and returns what is to be done.
    fn reduce(
        &self,
        state: &mut Self::State,
        action: Self::Action,
        environment: &Self::Environment,
    ) -> Effects<Self::Action>;
}

/// A closure as a reducer: `reducer(|state, action, environment| …)`.
pub const fn reducer<S, A, E, F>(reduce: F) -> FnReducer<S, A, E, F>
where
    F: Fn(&mut S, A, &E) -> Effects<A>,
{
    FnReducer { reduce, types: PhantomData }
}

/// A reducer made by [`reducer`].
pub struct FnReducer<S, A, E, F> {
    reduce: F,
    types: PhantomData<fn(S, A, E)>,
}

impl<S, A, E, F> Reducer for FnReducer<S, A, E, F>
where
    F: Fn(&mut S, A, &E) -> Effects<A>,
{
    type State = S;
    type Action = A;
    type Environment = E;

    fn reduce(&self, state: &mut S, action: A, environment: &E) -> Effects<A> {
        (self.reduce)(state, action, environment)
    }
}

impl<S, A, E, F> fmt::Debug for FnReducer<S, A, E, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FnReducer")
    }
}

/// A [`Decider`] as a reducer, so that it can be composed and tested like one.
///
/// A command is decided at the environment's time under a fresh command id; its events change the state at once and
/// are kept in [`Decided::events`], a refusal in [`Decided::rejection`]. An event changes the state as in a replay.
/// It lives in memory and appends nothing: durable commands go through the application.
pub struct DeciderReducer<D> {
    decider: PhantomData<fn(D)>,
}

/// The state of a [`DeciderReducer`]: the aggregate and what came of the last action.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided<D: Decider> {
    /// The aggregate.
    pub aggregate: D,
    /// The events that the last command led to; none after an event or a refusal.
    pub events: Vec<EventOf<D>>,
    /// Why the last command was refused.
    pub rejection: Option<D::Rejection>,
}

impl<D> DeciderReducer<D> {
    /// The reducer of `D`.
    pub const fn new() -> Self {
        Self { decider: PhantomData }
    }
}

impl<D: Decider> Reducer for DeciderReducer<D> {
    type State = Decided<D>;
    type Action = D::Action;
    type Environment = Environment;

    fn reduce(
        &self,
        state: &mut Decided<D>,
        action: D::Action,
        environment: &Environment,
    ) -> Effects<D::Action> {
        state.events.clear();
        state.rejection = None;
        match action.split() {
            ActionHalf::Command(command) => state.decide(command, environment),
            ActionHalf::Event(event) => state.aggregate.evolve(&event),
        }
        Effects::none()
    }
}

impl<D: Decider> Decided<D> {
    /// An aggregate before the next action.
    pub const fn new(aggregate: D) -> Self {
        Self { aggregate, events: Vec::new(), rejection: None }
    }

    fn decide(&mut self, command: <D::Action as Action>::Command, environment: &Environment) {
        let id = CommandId::from_uuid(environment.new_id());
        match self.aggregate.decide(command, &Context::new(environment.now(), id)) {
            Ok(events) => {
                for event in &events {
                    self.aggregate.evolve(event);
                }
                self.events = events;
            }
            Err(rejection) => self.rejection = Some(rejection),
        }
    }
}

impl<D: Decider> Default for Decided<D> {
    fn default() -> Self {
        Self::new(D::default())
    }
}

impl<D> Default for DeciderReducer<D> {
    fn default() -> Self {
        Self::new()
    }
}

impl<D> fmt::Debug for DeciderReducer<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeciderReducer")
    }
}
