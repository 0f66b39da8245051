//! Keys and indexes are fields of the row.
use composable_rust_core::Row;

#[derive(Debug, Clone, PartialEq, Row)]
#[row(key = "sektion", index = "show")]
struct Misspelt {
    section: String,
    show: String,
}

#[derive(Debug, Clone, PartialEq, Row)]
#[row(index = "show, show")]
struct Twice {
    show: String,
}

#[derive(Debug, Clone, PartialEq, Row)]
struct WithoutKey {
    section: String,
}

#[derive(Debug, Clone, PartialEq, Row)]
struct Unnamed(String);

fn main() {}
