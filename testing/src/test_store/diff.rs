//! How a failed assertion reads.

use composable_rust_core::EffectDescription;
use similar::{Change, ChangeTag, TextDiff};
use std::fmt::Debug;

/// Fails the test.
#[track_caller]
#[expect(clippy::panic, reason = "failing the test is what a TestStore is for")]
pub(super) fn fail(message: &str) -> ! {
    panic!("TestStore: {message}\n")
}

/// Two values, line by line.
pub(super) fn difference(expected: &impl Debug, actual: &impl Debug) -> String {
    lines(&format!("{expected:#?}"), &format!("{actual:#?}"))
}

/// Two effects, line by line.
pub(super) fn describe_lines(expected: &EffectDescription, actual: &EffectDescription) -> String {
    lines(&expected.to_string(), &actual.to_string())
}

fn lines(expected: &str, actual: &str) -> String {
    let line = |change: Change<&str>| {
        let sign = match change.tag() {
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
            ChangeTag::Equal => ' ',
        };
        format!("{sign} {}", change.value().trim_end_matches('\n'))
    };
    let lines: Vec<_> = TextDiff::from_lines(expected, actual).iter_all_changes().map(line).collect();
    format!("  (- expected, + actual)\n\n{}", lines.join("\n"))
}
