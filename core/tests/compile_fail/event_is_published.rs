//! A decider's event is published by the relay, never by an effect.
use composable_rust_core::{Action, Context, Decider, Decision, Effects, Never, State, publish_event};

#[derive(Debug, Clone, Default, State)]
struct Counter;

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

    fn decide(&self, _: CounterCommand, _: &Context) -> Decision<Self> {
        Ok(vec![CounterEvent::Added])
    }

    fn evolve(&mut self, _: &CounterEvent) {}
}

fn announce() -> Effects<CounterAction> {
    publish_event! { notification: CounterEvent::Added }
}

fn main() {}
