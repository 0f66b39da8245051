//! Two events of one stored name could not be told apart.
use composable_rust_core::{Action, Context, Decider, Decision, Never, State};

#[derive(Debug, Clone, Default, State)]
struct Counter;

#[derive(Debug, Clone, PartialEq, Action)]
enum CounterAction {
    #[event]
    Added,
    #[event(name = "counter.Added")]
    Increased,
    #[event(version = 2)]
    Removed,
    #[event]
    #[serde(rename = "gone")]
    Dropped,
}

impl Decider for Counter {
    type Action = CounterAction;
    type Rejection = Never;

    fn decide(&self, command: CounterCommand, _: &Context) -> Decision<Self> {
        match command {}
    }

    fn evolve(&mut self, _: &CounterEvent) {}
}

fn main() {}
