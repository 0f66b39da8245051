//! Every variant of an input is an event, a refusal, an outcome or a timer.
use composable_rust_core::{Data, Input};

#[derive(Debug, Clone, Data)]
struct Event;

#[derive(Debug, Clone, Input)]
enum CheckoutInput {
    HoldEnds,
    #[rejected]
    #[timer]
    Refused,
    #[outcome]
    Charged { amount: u32 },
    #[timer(minutes = 5)]
    Remind,
}

#[derive(Debug, Clone, Input)]
struct Other(Event);

fn main() {}
