//! The integration tests of `testing`, in one binary.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests may stop at what is not there")]

mod contract;
mod faults;
mod spec;
mod test_store;
