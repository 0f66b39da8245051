//! A command is never applied, and never appended.
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
        match command {
            CounterCommand::Add => Ok(vec![CounterCommand::Add]),
        }
    }

    fn evolve(&mut self, event: &CounterEvent) {
        match event {
            CounterCommand::Add => self.total += 1,
        }
    }
}

fn main() {}
