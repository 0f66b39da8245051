//! A call says what the world answers, and is a struct.
use composable_rust_core::Call;

#[derive(Debug, Clone, PartialEq, Call)]
struct Charge {
    amount: u32,
}

#[derive(Debug, Clone, PartialEq, Call)]
enum Mail {
    Welcome,
}

fn main() {}
