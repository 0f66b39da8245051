//! Given/when/then: what passes, and how a failure reads.

mod decider;
mod domain;
mod model;
mod process;
mod projection;
mod strategies;

use std::panic::{AssertUnwindSafe, catch_unwind};

/// The message with which `test` fails.
fn failure<T>(test: impl FnOnce() -> T) -> String {
    let caught =
        catch_unwind(AssertUnwindSafe(test)).map(|_| ()).expect_err("the expectation should have failed");
    caught.downcast_ref::<String>().cloned().expect("a text")
}
