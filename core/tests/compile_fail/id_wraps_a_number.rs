//! Ids wrap a UUID or a text.
use composable_rust_core::Id;

#[derive(Debug, Clone, PartialEq, Id)]
struct ShowId(u64);

#[derive(Debug, Clone, PartialEq, Id)]
struct SeatId {
    row: String,
}

fn main() {}
