//! Stores compare signed numbers, so the message says which ones fit.
use composable_rust_core::Row;

#[derive(Debug, Clone, PartialEq, Row)]
#[row(key = "section", index = "sold")]
struct Sales {
    section: String,
    sold: u64,
}

fn main() {}
