//! Wrong uses do not compile, and the message says what to write.
//!
//! After a deliberate change: `TRYBUILD=overwrite cargo test -p composable-rust-core --test it compile_fail`.

#[test]
fn wrong_uses_say_what_to_write() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
