//! A variant is a command or an event.
use composable_rust_core::{Action, Context, Decider, Decision, Never, State};

#[derive(Debug, Clone, Default, State)]
struct Counter {
    total: u64,
}

#[derive(Debug, Clone, PartialEq, Action)]
enum CounterAction {
    #[command]
    Add { amount: u32 },
    #[command]
    #[event]
    Added { amount: u32 },
}

impl Decider for Counter {
    type Action = CounterAction;
    type Rejection = Never;

    fn decide(&self, command: CounterCommand, _: &Context) -> Decision<Self> {
        match command {
            CounterCommand::Add { amount } => Ok(vec![CounterEvent::Added { amount }]),
        }
    }

    fn evolve(&mut self, event: &CounterEvent) {
        match event {
            CounterEvent::Added { amount } => self.total += u64::from(*amount),
        }
    }
}

fn main() {}
