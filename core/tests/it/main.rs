//! Core from outside: what a user of the vocabulary and of its derives sees.
#![expect(clippy::unwrap_used, reason = "tests may stop at what is not there")]

mod compile_fail;
mod compose;
mod derive_action;
mod derive_input;
mod derive_shape;
mod derive_state;
mod derive_values;
mod effects;
mod fixture;
mod private_types;
