//! What is stored has one form.
use composable_rust_core::Action;

#[derive(Action)]
enum CounterAction<T> {
    #[event]
    Added(T),
}

fn main() {}
