//! Labels are texts: no fields, and no text twice.
use composable_rust_core::Label;

#[derive(Debug, Clone, PartialEq, Label)]
enum Status {
    Draft,
    OnSale { since: u32 },
    #[label("draft")]
    Planned,
    #[label = "closed"]
    Closed,
}

fn main() {}
