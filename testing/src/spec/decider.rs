//! Specifications of deciders.

use super::failure::{fail, listed, same};
use super::wire::{check_event, check_state, check_value};
use super::{START, command_id};
use composable_rust_core::{Action, ActionHalf, CommandId, CommandOf, Context, Decider, EventOf};
use jiff::Timestamp;

/// What has happened before.
#[derive(Debug, Clone)]
pub struct Given<D: Decider> {
    events: Vec<EventOf<D>>,
    state: D,
}

/// A command to be decided; nothing is checked before one of its `then…`.
#[derive(Debug, Clone)]
#[must_use = "say what follows: `.then(…)`, `.then_nothing()`, `.then_rejected(…)` or `.then_state(…)`"]
pub struct When<D: Decider> {
    given: Given<D>,
    command: CommandOf<D>,
    now: Timestamp,
    id: CommandId,
}

/// What followed was as expected; more may be said about the state.
#[derive(Debug, Clone)]
pub struct Then<D: Decider> {
    state: D,
}

/// An aggregate with this history. Takes events, or actions that are events.
///
/// # Panics
/// When an event or the state does not survive its encoding.
#[track_caller]
pub fn given<D: Decider>(events: impl IntoIterator<Item = impl Into<D::Action>>) -> Given<D> {
    let events = events_of::<D>(events);
    let mut state = D::default();
    for event in &events {
        state.evolve(event);
    }
    check_state(&state);
    Given { events, state }
}

/// An aggregate without history.
///
/// # Panics
/// When the first state does not survive its encoding.
#[track_caller]
pub fn given_nothing<D: Decider>() -> Given<D> {
    given::<D>(std::iter::empty::<D::Action>())
}

impl<D: Decider> Given<D> {
    /// A command is given to it. Takes a command, or an action that is one.
    ///
    /// # Panics
    /// When the command is an event, or does not survive its encoding.
    #[track_caller]
    pub fn when(self, command: impl Into<D::Action>) -> When<D> {
        match command.into().split() {
            ActionHalf::Command(command) => {
                check_value("the command", &command);
                When { given: self, command, now: START, id: command_id() }
            }
            ActionHalf::Event(event) => {
                fail(&format!("`when` takes a command, and this is an event: {event:?}"))
            }
        }
    }

    /// Looks at the state that the history makes.
    pub fn then_state(&self, look: impl FnOnce(&D)) {
        look(&self.state);
    }
}

impl<D: Decider> When<D> {
    /// The time of the decision; [`START`] unless said otherwise.
    pub fn at(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }

    /// The command's id, from which ids are derived; [`command_id`] unless said otherwise.
    pub fn with_id(mut self, id: CommandId) -> Self {
        self.id = id;
        self
    }

    /// These events follow. Takes events, or actions that are events.
    ///
    /// # Panics
    /// When others follow, or the command is refused.
    #[track_caller]
    pub fn then(self, events: impl IntoIterator<Item = impl Into<D::Action>>) -> Then<D> {
        let expected = events_of::<D>(events);
        self.expect(&Ok(expected))
    }

    /// The command is accepted and nothing follows from it.
    ///
    /// # Panics
    /// When something follows, or the command is refused.
    #[track_caller]
    pub fn then_nothing(self) -> Then<D> {
        self.expect(&Ok(Vec::new()))
    }

    /// The command is refused.
    ///
    /// # Panics
    /// When it is accepted, refused otherwise, or when the refusal does not survive its encoding.
    #[track_caller]
    pub fn then_rejected(self, rejection: D::Rejection) {
        check_value("the rejection", &rejection);
        self.expect(&Err(rejection));
    }

    /// The command is accepted; looks at the state that it leads to.
    ///
    /// # Panics
    /// When the command is refused.
    #[track_caller]
    pub fn then_state(self, look: impl FnOnce(&D)) -> Then<D> {
        match self.decide() {
            Ok(events) => {
                let then = self.after(&events);
                look(&then.state);
                then
            }
            Err(rejection) => {
                fail(&format!("the command is refused: {rejection} ({rejection:?})\n\n{}", self.story()))
            }
        }
    }

    #[track_caller]
    fn expect(self, expected: &Result<Vec<EventOf<D>>, D::Rejection>) -> Then<D> {
        let actual = self.decide();
        same("the decision is another", expected, &actual, &self.story());
        self.after(&actual.unwrap_or_default())
    }

    /// Decides twice: a decision that differs depends on something that it must not know.
    #[track_caller]
    fn decide(&self) -> Result<Vec<EventOf<D>>, D::Rejection> {
        let context = Context::new(self.now, self.id);
        let first = self.given.state.decide(self.command.clone(), &context);
        let second = self.given.state.decide(self.command.clone(), &context);
        let what = "the same command was decided in two ways: take time and ids from the context, and no map's order";
        same(what, &first, &second, &self.story());
        first
    }

    #[track_caller]
    fn after(self, events: &[EventOf<D>]) -> Then<D> {
        let mut state = self.given.state;
        for event in events {
            check_event(event);
            state.evolve(event);
        }
        check_state(&state);
        Then { state }
    }

    fn story(&self) -> String {
        let given = listed("given", &self.given.events);
        let when = listed("when", std::slice::from_ref(&self.command));
        format!("{given}{when}")
    }
}

impl<D: Decider> Then<D> {
    /// Looks at the state afterwards.
    pub fn then_state(&self, look: impl FnOnce(&D)) -> &Self {
        look(&self.state);
        self
    }
}

/// The events among actions; each is checked to survive its encoding.
#[track_caller]
fn events_of<D: Decider>(actions: impl IntoIterator<Item = impl Into<D::Action>>) -> Vec<EventOf<D>> {
    let mut events = Vec::new();
    for action in actions {
        match action.into().split() {
            ActionHalf::Event(event) => {
                check_event(&event);
                events.push(event);
            }
            ActionHalf::Command(command) => {
                fail(&format!("only events happen, and this is a command: {command:?}"));
            }
        }
    }
    events
}
