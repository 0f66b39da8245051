//! The whole model on one screen: an aggregate as pure functions, kept durably, tested as a sentence.
//!
//! Run it twice, `cargo run --example counter`, and the count goes on. Not here: processes, projections and HTTP, which
//! `examples/ticketing` shows.

use composable_rust::prelude::*;

/// What is known of a counter at the moment: nothing but what its events say.
#[derive(Debug, Clone, Default, State)]
struct Counter {
    total: u64,
}

/// Its whole language: what can be asked of it, and what can happen to it.
#[derive(Debug, Clone, PartialEq, Action)]
enum CounterAction {
    #[command]
    Add { amount: u64 },
    #[event]
    Added { amount: u64 },
}

/// Why it says no.
#[derive(Debug, Clone, PartialEq, Rejection)]
#[rejection(message = "the counter would overflow")]
struct TooLarge;

impl Decider for Counter {
    type Action = CounterAction;
    type Rejection = TooLarge;

    /// A command is a wish: what follows from it, or why not. Sees the state, cannot change it.
    fn decide(&self, command: CounterCommand, _: &Context) -> Decision<Self> {
        let CounterCommand::Add { amount } = command;
        self.total.checked_add(amount).ok_or(TooLarge)?;
        Ok(vec![CounterEvent::Added { amount }])
    }

    /// An event is a fact: it changes the state and cannot fail.
    fn evolve(&mut self, event: &CounterEvent) {
        let CounterEvent::Added { amount } = event;
        self.total += amount;
    }
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the count is what it is run for")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = Application::builder("counter")
        .storage(Sqlite::file("data/counter.db"))
        .decider::<Counter>()
        .start()
        .await?;
    let receipt = app.execute("clicks", CounterCommand::Add { amount: 1 }).await?;
    println!("{} clicks, version {} of the stream", receipt.state.total, receipt.version);
    Ok(app.shutdown().await?)
}

#[test]
fn counts_and_refuses_to_overflow() {
    use CounterCommand::Add;
    use CounterEvent::Added;
    given::<Counter>([Added { amount: 2 }]).when(Add { amount: 3 }).then([Added { amount: 3 }]);
    given::<Counter>([Added { amount: u64::MAX }]).when(Add { amount: 1 }).then_rejected(TooLarge);
}
