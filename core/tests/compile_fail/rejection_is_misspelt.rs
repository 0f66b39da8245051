//! Kinds, keys and fields of a rejection are checked.
use composable_rust_core::Rejection;

#[derive(Debug, Clone, PartialEq, Rejection)]
enum Refused {
    #[rejection(kind = Conflicting)]
    Taken,
    #[rejection(message = "only {availabel} places are free")]
    SeatsUnavailable { available: u32 },
    #[rejection(message = "{} is too late")]
    TooLate(u32),
    #[rejection(message = "{id} is gone")]
    Gone,
    #[rejection(status = 409)]
    Other,
}

fn main() {}
