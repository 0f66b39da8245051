//! Versions start at 1, belong to events, and every older one needs an upcaster.
use composable_rust_core::{Action, Context, Decider, Decision, Never, State};

#[derive(Debug, Clone, Default, State)]
struct Counter {
    total: u64,
}

#[derive(Debug, Clone, PartialEq, Action)]
enum CounterAction {
    #[command]
    #[version(2)]
    Add { amount: u32 },
    #[event]
    #[version(4)]
    #[upcast(2 => renamed)]
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

fn renamed(payload: composable_rust_core::json::Value) -> Result<composable_rust_core::json::Value, String> {
    Ok(payload)
}

#[derive(Debug, Clone, PartialEq, Action)]
#[action(decider = Other)]
enum OtherAction {
    #[event]
    #[version(0)]
    First,
    #[event]
    #[upcast(1 => renamed)]
    Second,
    #[event]
    #[version(2)]
    #[upcast(renamed)]
    Third,
}

#[derive(Debug, Clone, Default, State)]
struct Other;

impl Decider for Other {
    type Action = OtherAction;
    type Rejection = Never;

    fn decide(&self, command: OtherCommand, _: &Context) -> Decision<Self> {
        match command {}
    }

    fn evolve(&mut self, _: &OtherEvent) {}
}

fn main() {}
