//! The house rules as tests: each reads the tree and fails with `file:line` and what to do.
//!
//! A rule is a function from text to findings, tried on small samples beside it, and one `#[test]` that
//! applies it to the whole tree. Nothing here formats, builds or runs the code it reads.

// Makes helpers count as test code for clippy, so that they may panic.
#![cfg(test)]

mod tree;

// What each file looks like.
mod size;
mod tokens;
mod words;

// What may know what.
mod crates;
mod slices;

// What the documents promise.
mod features;
mod links;
