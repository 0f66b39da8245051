//! A process dispatches only what it hears the refusal of, and calls only what it hears the outcome of.
use composable_rust_core::{
    Action, Call, Context, Data, Decider, Decision, Input, Never, Process, ProcessId, Recorded, State, Steps, call,
    dispatch,
};

#[derive(Debug, Clone, Default, State)]
struct Inventory;

#[derive(Debug, Clone, PartialEq, Action)]
enum InventoryAction {
    #[command]
    Hold,
    #[event]
    Held,
}

impl Decider for Inventory {
    type Action = InventoryAction;
    type Rejection = Never;

    fn decide(&self, _: InventoryCommand, _: &Context) -> Decision<Self> {
        Ok(vec![InventoryEvent::Held])
    }

    fn evolve(&mut self, _: &InventoryEvent) {}
}

#[derive(Debug, Clone, PartialEq, Call)]
#[call(answer = Charged)]
struct Charge;

#[derive(Debug, Clone, PartialEq, Data)]
struct Charged;

#[derive(Debug, Clone, Input)]
enum CheckoutInput {
    Inventory(InventoryEvent),
}

#[derive(Debug, Clone, Default, State)]
struct Checkout;

impl Process for Checkout {
    type Input = CheckoutInput;
    const NAME: &'static str = "checkout";

    fn id(_: &CheckoutInput) -> Option<ProcessId> {
        None
    }

    fn react(&mut self, _: Recorded<CheckoutInput>) -> Steps<Self> {
        vec![dispatch("a".to_owned(), InventoryCommand::Hold), call(Charge)]
    }
}

fn main() {}
