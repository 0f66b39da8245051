//! Model-based tests: random commands against a decider and a much simpler model of it, which must agree.
//!
//! ```
//! # use composable_rust_core::{Action, Context, Decider, Decision, Rejection, State};
//! # #[derive(Debug, Clone, Default, State)]
//! # struct Counter { total: u32 }
//! # #[derive(Debug, Clone, PartialEq, Action)]
//! # enum CounterAction { #[command] Add { amount: u32 }, #[event] Added { amount: u32 } }
//! # #[derive(Debug, Clone, PartialEq, Rejection)]
//! # struct TooLarge;
//! # impl Decider for Counter {
//! #     type Action = CounterAction;
//! #     type Rejection = TooLarge;
//! #     fn decide(&self, command: CounterCommand, _: &Context) -> Decision<Self> {
//! #         let CounterCommand::Add { amount } = command;
//! #         self.total.checked_add(amount).ok_or(TooLarge)?;
//! #         Ok(vec![CounterEvent::Added { amount }])
//! #     }
//! #     fn evolve(&mut self, event: &CounterEvent) {
//! #         let CounterEvent::Added { amount } = event;
//! #         self.total += amount;
//! #     }
//! # }
//! use composable_rust_testing::{model::{Model, follow}, strategies::commands};
//! use proptest::prelude::*;
//!
//! #[derive(Debug, Default)]
//! struct Sum(u64);
//!
//! impl Model<Counter> for Sum {
//!     fn apply(&mut self, command: &CounterCommand, _: &Context) -> Result<(), TooLarge> {
//!         let CounterCommand::Add { amount } = command;
//!         let sum = self.0 + u64::from(*amount);
//!         if sum > u64::from(u32::MAX) { return Err(TooLarge); }
//!         self.0 = sum;
//!         Ok(())
//!     }
//!
//!     fn agrees(&self, counter: &Counter) -> Result<(), String> {
//!         if u64::from(counter.total) == self.0 { Ok(()) } else { Err(format!("the sum is {}", self.0)) }
//!     }
//! }
//!
//! let one = any::<u32>().prop_map(|amount| CounterCommand::Add { amount });
//! proptest!(|(history in commands(one, 50))| follow::<Counter, Sum>(&history)?);
//! ```

use crate::strategies::Issued;
use composable_rust_core::{CommandOf, Context, Decider};
use proptest::test_runner::TestCaseError;
use std::fmt::Debug;

/// What a decider should do, said so simply that it is plainly right: a sum, a set, a counter.
pub trait Model<D: Decider>: Default + Debug {
    /// Does what the command asks, or says how it is refused. What changes in the model must be visible in the
    /// decider's state, or [`Self::agrees`] has nothing to compare.
    ///
    /// # Errors
    /// The refusal that the decider must give.
    fn apply(&mut self, command: &CommandOf<D>, context: &Context) -> Result<(), D::Rejection>;

    /// Whether the state is as the model says; also the place for invariants.
    ///
    /// # Errors
    /// What differs.
    fn agrees(&self, state: &D) -> Result<(), String>;
}

/// Gives the commands to a decider and to its model, and compares after each one.
///
/// # Errors
/// The first difference, with the commands up to it; use `?` inside `proptest!`, which then looks for a shorter history.
pub fn follow<D: Decider, M: Model<D>>(history: &[Issued<CommandOf<D>>]) -> Result<(), TestCaseError> {
    let (mut state, mut model) = (D::default(), M::default());
    for (place, Issued { command, now, id }) in history.iter().enumerate() {
        let context = Context::new(*now, *id);
        let expected = model.apply(command, &context);
        let actual = state.decide(command.clone(), &context);
        for event in actual.iter().flatten() {
            state.evolve(event);
        }
        let story = || format!("after {:#?}\nmodel: {model:?}\nstate: {state:?}", &history[..=place]);
        let actual = actual.map(|_| ());
        if expected != actual {
            return Err(TestCaseError::fail(format!(
                "the model answers {expected:?}, the decider {actual:?} {}",
                story()
            )));
        }
        model.agrees(&state).map_err(|what| TestCaseError::fail(format!("{what} {}", story())))?;
    }
    Ok(())
}
