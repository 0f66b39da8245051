//! An error together with what caused it, as text. Not here: what is done about it.

use std::error::Error;
use std::iter::successors;

/// An error and its causes, outermost first: what a dead letter keeps.
pub fn error_chain(error: &(dyn Error + 'static)) -> Vec<String> {
    successors(Some(error), |&error| error.source()).map(ToString::to_string).collect()
}

/// An error and its causes on one line, for people: `the store is unavailable: connection refused`.
pub fn describe(error: &(dyn Error + 'static)) -> String {
    error_chain(error).join(": ")
}
