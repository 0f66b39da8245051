//! Every variant says which half it is; the slip stays the only error.
use composable_rust_core::{Action, Context, Decider, Decision, Never, State};

#[derive(Debug, Clone, Default, State)]
struct Counter {
    total: u64,
}

#[derive(Debug, Clone, PartialEq, Action)]
enum CounterAction {
    Add { amount: u32 },
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
