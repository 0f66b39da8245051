//! What does not fit, told in the words of a client: never the name of a type of ours.

use super::findings::pointer_in;
use super::tree::Node;
use crate::FieldError;
use serde::de::{self, Expected, Unexpected};
use std::fmt::{self, Display};

/// Most values that are listed where one of them is wanted.
const MOST_LISTED: usize = 12;
/// Longest text of another's, in characters.
const LONGEST: usize = 200;
const UNKNOWN: &str = "this field is not known here";

/// What does not fit, and where as soon as that is known.
#[derive(Debug)]
pub(super) struct Wrong {
    pointer: Option<String>,
    /// The member of the object at hand that it is about.
    field: Option<String>,
    /// The value that does not fit, as serde names it.
    found: Option<String>,
    code: &'static str,
    detail: String,
}

impl Wrong {
    fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { pointer: None, field: None, found: None, code, detail: detail.into() }
    }

    fn of_field(field: &str, code: &'static str, detail: &str) -> Self {
        Self { field: Some(field.to_owned()), ..Self::new(code, detail) }
    }

    /// Something of the wrong kind.
    pub(super) fn type_instead_of(wanted: &str) -> Self {
        Self::new("wrong_type", format!("it must be {wanted}"))
    }

    /// One of these was wanted, and something that is no text was sent.
    pub(super) fn no_variant(variants: &[&str]) -> Self {
        Self::new("wrong_type", one_of(variants))
    }

    /// Says where it was found, unless somebody further inside has said so.
    ///
    /// Serde reads some types from a copy of its own and then does not tell which member was wrong: it is the only
    /// one with the value that was found.
    pub(super) fn within(mut self, node: &Node, at: impl FnOnce() -> String) -> Self {
        if self.pointer.is_some() {
            return self;
        }
        let mut pointer = at();
        if let Some(field) = self.field.take() {
            pointer = pointer_in(&pointer, &field);
        } else if let (Node::Object(members), Some(found)) = (node, &self.found) {
            let mut same = members.iter().filter(|(_, value)| value.named().to_string() == *found);
            if let (Some((name, _)), None) = (same.next(), same.next()) {
                pointer = pointer_in(&pointer, name.text());
            }
        }
        Self { pointer: Some(pointer), ..self }
    }
}

impl From<Wrong> for FieldError {
    fn from(wrong: Wrong) -> Self {
        let Wrong { pointer, code, detail, .. } = wrong;
        Self { pointer: pointer.unwrap_or_default(), code: code.into(), detail: detail.into() }
    }
}

impl Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Wrong {}

impl de::Error for Wrong {
    fn custom<T: Display>(text: T) -> Self {
        let text = text.to_string();
        if text.starts_with("data did not match any variant") {
            return Self::new("wrong_type", "it has none of the forms that are taken here");
        }
        // Of an id or a label the reason alone: what kind of ours it should be means nothing to a client.
        let parts = text.split_once(" is not a valid ");
        let named = parts.and_then(|(given, rest)| Some((given, rest.split_once(": ")?.1)));
        let told = named.map_or(text.as_str(), |(_, reason)| reason);
        let found = named.map(|(given, _)| format!("string {given}"));
        Self { found, ..Self::new("invalid_value", told.chars().take(LONGEST).collect::<String>()) }
    }

    fn invalid_type(found: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        let wanted = in_words(&wanted.to_string());
        Self { found: Some(found.to_string()), ..Self::type_instead_of(&wanted) }
    }

    fn invalid_value(found: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        let is_number =
            matches!(found, Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_));
        let code = if is_number { "out_of_range" } else { "invalid_value" };
        let detail = format!("it must be {}", in_words(&wanted.to_string()));
        Self { found: Some(found.to_string()), ..Self::new(code, detail) }
    }

    fn invalid_length(_: usize, _: &dyn Expected) -> Self {
        Self::new("wrong_length", "it has too few or too many entries")
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        let found = Some(Unexpected::Str(variant).to_string());
        Self { found, ..Self::new("unknown_value", one_of(known)) }
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::of_field(field, "unknown_field", UNKNOWN)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::of_field(field, "required", "this field is missing")
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::of_field(field, "duplicate", "this is there twice")
    }
}

fn one_of(known: &[&str]) -> String {
    match known {
        [] => "nothing fits here".to_owned(),
        [only] => format!("it must be {only}"),
        [first, second, third, ..] if known.len() > MOST_LISTED => {
            format!("it must be one of {} values, such as {first}, {second} and {third}", known.len())
        }
        known => format!("it must be one of: {}", known.join(", ")),
    }
}

/// What serde wants, as a client would say it.
fn in_words(wanted: &str) -> String {
    let whole =
        |least: i128, most: i128| format!("a whole number from {} to {}", grouped(least), grouped(most));
    match wanted {
        "u8" => whole(0, u8::MAX.into()),
        "u16" => whole(0, u16::MAX.into()),
        "u32" => whole(0, u32::MAX.into()),
        "u64" | "usize" => whole(0, u64::MAX.into()),
        "i8" => whole(i8::MIN.into(), i8::MAX.into()),
        "i16" => whole(i16::MIN.into(), i16::MAX.into()),
        "i32" => whole(i32::MIN.into(), i32::MAX.into()),
        "i64" | "isize" => whole(i64::MIN.into(), i64::MAX.into()),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "an array".to_owned(),
        "unit" => "null".to_owned(),
        _ if is_object(wanted) => "an object".to_owned(),
        _ if is_ours(wanted, &["tuple", "an array of"]) => "an array".to_owned(),
        _ if is_ours(wanted, &["enum", "variant", "newtype", "unit"]) => "a value of another kind".to_owned(),
        wanted => wanted.to_owned(),
    }
}

/// Whether it is read from an object only, whatever else serde would take.
pub(super) fn is_object(wanted: &str) -> bool {
    wanted == "a map" || is_ours(wanted, &["struct", "internally tagged enum", "adjacently tagged enum"])
}

fn is_ours(wanted: &str, kinds: &[&str]) -> bool {
    kinds
        .iter()
        .any(|kind| wanted.strip_prefix(kind).is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')))
}

/// With a comma before every third digit from the right.
fn grouped(number: i128) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = if number < 0 { "-".to_owned() } else { String::new() };
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A field that is not known.
pub(super) fn unknown_field(pointer: String) -> FieldError {
    FieldError { pointer, code: "unknown_field".into(), detail: UNKNOWN.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_by_people() {
        assert_eq!(in_words("u32"), "a whole number from 0 to 4,294,967,295");
        assert_eq!(in_words("i8"), "a whole number from -128 to 127");
        assert_eq!((grouped(100_000), grouped(-1_000)), ("100,000".into(), "-1,000".into()));
    }

    #[test]
    fn no_name_of_a_type_is_told() {
        assert_eq!(in_words("struct NewShow"), "an object");
        assert_eq!(in_words("internally tagged enum Method"), "an object");
        assert_eq!(in_words("struct variant Method::Free"), "an object");
        assert_eq!(in_words("tuple struct Pair with 2 elements"), "an array");
    }
}
