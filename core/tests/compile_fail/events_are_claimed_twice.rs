//! Each aggregate's events have one place in a set.
use composable_rust_core::{Action, Context, Decider, Decision, Events, Never, State};

#[derive(Debug, Clone, Default, State)]
struct Counter;

#[derive(Debug, Clone, PartialEq, Action)]
enum CounterAction {
    #[event]
    Added,
}

impl Decider for Counter {
    type Action = CounterAction;
    type Rejection = Never;

    fn decide(&self, command: CounterCommand, _: &Context) -> Decision<Self> {
        match command {}
    }

    fn evolve(&mut self, _: &CounterEvent) {}
}

#[derive(Debug, Clone, Events)]
enum Seen {
    Counter(CounterEvent),
    Again(String, CounterEvent),
    Nothing,
}

fn main() {}
