//! An action is an enum.
use composable_rust_core::Action;

#[derive(Action)]
struct CounterAction {
    amount: u32,
}

fn main() {}
