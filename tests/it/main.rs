//! The parts together, through the facade and on more than one storage.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests may stop at what is not there")]

mod running;
mod shapes;
