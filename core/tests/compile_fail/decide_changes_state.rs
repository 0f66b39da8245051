//! State changes through `evolve` alone.
use composable_rust_core::{Action, Context, Decider, Decision, Never, State};

#[derive(Debug, Clone, Default, State)]
struct Counter {
    total: u64,
}

#[derive(Debug, Clone, PartialEq, Action)]
enum CounterAction {
    #[command]
    Add,
    #[event]
    Added,
}

impl Decider for Counter {
    type Action = CounterAction;
    type Rejection = Never;

    fn decide(&self, command: CounterCommand, _: &Context) -> Decision<Self> {
        self.total += 1;
        match command {
            CounterCommand::Add => Ok(vec![CounterEvent::Added]),
        }
    }

    fn evolve(&mut self, _: &CounterEvent) {}
}

fn main() {}
