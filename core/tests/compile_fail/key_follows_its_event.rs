//! A key stands before the event that it names the stream of.
use composable_rust_core::{Action, Context, Decider, Decision, Events, Input, Never, State};

#[derive(Debug, Clone, Default, State)]
struct Order;

#[derive(Debug, Clone, PartialEq, Action)]
enum OrderAction {
    #[event]
    Placed,
}

impl Decider for Order {
    type Action = OrderAction;
    type Rejection = Never;

    fn decide(&self, command: OrderCommand, _: &Context) -> Decision<Self> {
        match command {}
    }

    fn evolve(&mut self, _: &OrderEvent) {}
}

#[derive(Debug, Clone, Events)]
enum Seen {
    Order(OrderEvent, String),
}

#[derive(Debug, Clone, Input)]
enum ShippingInput {
    Order(OrderEvent, String),
}

fn main() {}
