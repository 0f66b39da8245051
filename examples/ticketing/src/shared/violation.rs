//! What is wrong with a wish, field by field; a refusal carries all of it at once.

use composable_rust::prelude::*;
use schemars::Schema;

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq, Data)]
pub struct Violation {
    /// Where in the wish, as a JSON pointer.
    pub pointer: String,
    /// What is wrong, for programs.
    pub code: String,
    /// What is wrong, for people.
    pub detail: String,
}

/// Collects broken rules.
#[derive(Debug, Default)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// Notes what is wrong at `pointer`.
    pub fn add(&mut self, pointer: impl Into<String>, code: &str, detail: impl Into<String>) {
        self.0.push(Violation { pointer: pointer.into(), code: code.to_owned(), detail: detail.into() });
    }

    /// Notes it unless the rule holds.
    pub fn check(&mut self, holds: bool, pointer: impl Into<String>, code: &str, detail: impl Into<String>) {
        if !holds {
            self.add(pointer, code, detail);
        }
    }

    /// As [`Self::length`], of a text that is shown in one line beside others, such as a name: nothing in it may break
    /// the line or turn the order in which its surroundings are read.
    pub fn line(&mut self, text: &str, least: usize, most: usize, pointer: impl Into<String>) {
        let pointer = pointer.into();
        let leaves = text.chars().any(|c| !is_hidden(c) && leaves_line(c));
        let detail = "it must not have line breaks or marks that turn the direction of writing";
        self.check(!leaves, pointer.as_str(), "invalid_value", detail);
        self.length(text, least, most, pointer);
    }

    /// A text must have so many characters, counted without white space at its ends, and none that cannot be seen: not
    /// every store keeps them.
    pub fn length(&mut self, text: &str, least: usize, most: usize, pointer: impl Into<String>) {
        let pointer = pointer.into();
        let hidden = text.chars().any(is_hidden);
        self.check(!hidden, pointer.as_str(), "invalid_value", "it must not have control characters");
        let length = text.trim().chars().count();
        let code = if length < least { "too_short" } else { "too_long" };
        let detail = format!("it needs {least} to {most} characters");
        self.check((least..=most).contains(&length), pointer, code, detail);
    }

    /// A number must lie in a range.
    pub fn range(&mut self, number: i64, least: i64, most: i64, pointer: impl Into<String>) {
        let detail = format!("it must be {least} to {most}");
        self.check((least..=most).contains(&number), pointer, "out_of_range", detail);
    }

    /// A list must have so many entries.
    pub fn count(&mut self, count: usize, least: usize, most: usize, pointer: impl Into<String>) {
        let code = if count < least { "too_few" } else { "too_many" };
        let detail = format!("it needs {least} to {most} entries");
        self.check((least..=most).contains(&count), pointer, code, detail);
    }

    /// All of it, or nothing when no rule is broken.
    ///
    /// # Errors
    /// The broken rules, as the refusal that `refuse` makes of them.
    pub fn into_result<R>(self, refuse: impl FnOnce(Vec<Violation>) -> R) -> Result<(), R> {
        if self.0.is_empty() { Ok(()) } else { Err(refuse(self.0)) }
    }
}

fn is_hidden(c: char) -> bool {
    c.is_control() && !c.is_whitespace()
}

/// White space that is no blank, the separators of lines and paragraphs, and the controls of writing direction (Unicode's
/// property `Bidi_Control`).
fn leaves_line(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// How [`Violations::length`] reads in the API's description.
pub fn text<const LEAST: u32, const MOST: u32>(schema: &mut Schema) {
    describe::<LEAST, MOST>(schema, r"\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f");
}

/// How [`Violations::line`] reads there.
pub fn line<const LEAST: u32, const MOST: u32>(schema: &mut Schema) {
    describe::<LEAST, MOST>(schema, r"\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069");
}

fn describe<const LEAST: u32, const MOST: u32>(schema: &mut Schema, refused: &str) {
    let allowed = format!("[^{refused}]*");
    let shown = if LEAST == 0 { String::new() } else { format!(r"[^\s\x00-\x1f\x7f-\x9f{refused}]") };
    schema.insert("minLength".to_owned(), LEAST.into());
    schema.insert("maxLength".to_owned(), MOST.into());
    schema.insert("pattern".to_owned(), format!("^{allowed}{shown}{allowed}$").into());
}
