//! One version field, one schema from 1, no generics.
use composable_rust_core::{State, StreamVersion};

#[derive(Debug, Clone, State)]
#[state(schema = 0)]
struct Counter {
    #[version]
    version: StreamVersion,
    #[version]
    other: StreamVersion,
}

#[derive(Debug, Clone, State)]
#[state(version = 2)]
enum Door {
    Open {
        #[version]
        version: StreamVersion,
    },
}

#[derive(Debug, Clone, State)]
struct Generic<T>(T);

fn main() {}
