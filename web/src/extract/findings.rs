//! What an application finds wrong in a body that reads well: all of it at once.

use crate::{FieldError, Problem};
use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::ops::RangeInclusive;

/// A body that can say what is wrong with it. [`JsonBody`](crate::JsonBody) asks for it, so it cannot be forgotten;
/// a body with nothing to check has an empty implementation.
///
/// ```
/// use composable_rust_web::{Findings, Validate};
///
/// struct NewEvent { title: String, capacity: u32 }
///
/// impl Validate for NewEvent {
///     fn validate(&self, findings: &mut Findings) {
///         findings.length("title", &self.title, 1..=200);
///         findings.range("capacity", self.capacity, 1..=100_000);
///     }
/// }
///
/// let mut findings = Findings::default();
/// NewEvent { title: String::new(), capacity: 0 }.validate(&mut findings);
/// let problem = findings.into_result().unwrap_err();
/// assert_eq!(problem.errors().len(), 2);
/// assert_eq!(problem.errors()[0].pointer, "/title");
/// ```
pub trait Validate {
    /// Notes everything that is wrong.
    fn validate(&self, findings: &mut Findings) {
        let _ = findings;
    }
}

/// Collects what is wrong, with the place of each.
#[derive(Debug, Default)]
pub struct Findings {
    at: String,
    errors: Vec<FieldError>,
}

impl Findings {
    /// Notes something wrong in `field`; an empty name means the whole.
    pub fn add(
        &mut self,
        field: &str,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) {
        let pointer = if field.is_empty() { self.at.clone() } else { pointer_in(&self.at, field) };
        self.errors.push(FieldError { pointer, code: code.into(), detail: detail.into() });
    }

    /// Notes something wrong in `field` unless `holds`.
    pub fn check(
        &mut self,
        holds: bool,
        field: &str,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) {
        if !holds {
            self.add(field, code, detail);
        }
    }

    /// A text must have so many characters, counted without white space at its ends.
    pub fn length(&mut self, field: &str, text: &str, allowed: RangeInclusive<usize>) {
        let length = text.trim().chars().count();
        if !allowed.contains(&length) {
            let code = if length < *allowed.start() { "too_short" } else { "too_long" };
            self.add(field, code, format!("it needs {} to {} characters", allowed.start(), allowed.end()));
        }
    }

    /// A list must have so many entries.
    pub fn count(&mut self, field: &str, count: usize, allowed: RangeInclusive<usize>) {
        if !allowed.contains(&count) {
            let code = if count < *allowed.start() { "too_few" } else { "too_many" };
            self.add(field, code, format!("it needs {} to {} entries", allowed.start(), allowed.end()));
        }
    }

    /// A number must lie in a range.
    #[expect(clippy::needless_pass_by_value, reason = "numbers read better by value")]
    pub fn range<N: PartialOrd + Display>(&mut self, field: &str, number: N, allowed: RangeInclusive<N>) {
        if !allowed.contains(&number) {
            self.add(field, "out_of_range", format!("it must be {} to {}", allowed.start(), allowed.end()));
        }
    }

    /// Validates a part of the body under its name.
    pub fn inside(&mut self, field: impl Display, validate: impl FnOnce(&mut Self)) {
        let outer = self.at.len();
        self.at = pointer_in(&self.at, &field.to_string());
        validate(self);
        self.at.truncate(outer);
    }

    /// Validates each entry of a list.
    pub fn each<T: Validate>(&mut self, field: &str, entries: &[T]) {
        self.inside(field, |findings| {
            for (index, entry) in entries.iter().enumerate() {
                findings.inside(index, |findings| entry.validate(findings));
            }
        });
    }

    /// Nothing, or the problem that names it all.
    ///
    /// # Errors
    /// 422 `validation_failed` when something is wrong.
    pub fn into_result(self) -> Result<(), Problem> {
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::validation_failed(self.errors)) }
    }
}

/// The JSON pointer (RFC 6901) of `field` in what `at` points to.
pub(crate) fn pointer_in(at: &str, field: &str) -> String {
    let mut pointer = String::with_capacity(at.len() + 1 + field.len());
    pointer.push_str(at);
    // Writing to a String cannot fail.
    let _ = write!(pointer, "/{}", field.replace('~', "~0").replace('/', "~1"));
    pointer
}
