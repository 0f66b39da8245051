//! How an expectation fails: with what was expected and what came, as a difference line by line.

use similar::{ChangeTag, TextDiff};
use std::fmt::{Debug, Write};

/// Ends the test.
#[track_caller]
#[expect(clippy::panic, reason = "this is how a test fails")]
pub(super) fn fail(message: &str) -> ! {
    panic!("{message}")
}

/// Fails when the two differ; `what` says what they are.
#[track_caller]
pub(super) fn same<T: PartialEq + Debug + ?Sized>(what: &str, expected: &T, actual: &T, story: &str) {
    if expected != actual {
        differ(what, &format!("{expected:#?}"), &format!("{actual:#?}"), story);
    }
}

/// Fails with the difference of two texts.
#[track_caller]
pub(super) fn differ(what: &str, expected: &str, actual: &str, story: &str) -> ! {
    fail(&format!("{what} (- expected, + actual)\n\n{}\n{story}", diff(expected, actual)));
}

/// The texts one over the other. Equal texts of unequal values say so: their `Debug` hides the difference.
fn diff(expected: &str, actual: &str) -> String {
    let mut text = String::new();
    for change in TextDiff::from_lines(expected, actual).iter_all_changes() {
        let sign = match change.tag() {
            ChangeTag::Equal => ' ',
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
        };
        let line = change.value().trim_end_matches('\n');
        // Writing to a String cannot fail.
        _ = writeln!(text, "  {sign} {line}");
    }
    if expected == actual {
        text.push_str("  (they print alike: what differs is not in their `Debug`)\n");
    }
    text
}

/// Values as an indented list under a title.
pub(super) fn listed<T: Debug>(title: &str, values: &[T]) -> String {
    let mut text = format!("{title}:\n");
    if values.is_empty() {
        text.push_str("  nothing\n");
    }
    for value in values {
        _ = writeln!(text, "  {value:?}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_shown_line_by_line() {
        assert_eq!(diff("a\nb\n", "a\nc\n"), "    a\n  - b\n  + c\n");
        assert!(diff("a", "a").contains("print alike"));
    }
}
