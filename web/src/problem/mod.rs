//! An error as every client sees it: RFC 9457 `application/problem+json` with a stable `code`.
//!
//! Not here: which failure becomes which problem (`convert.rs`).

mod catalogue;
mod convert;
mod render;

pub use catalogue::FieldError;
pub(crate) use render::{Filled, rendered};

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;

/// An answer that says what went wrong, for programs (`code`) and people (`detail`).
///
/// Handlers return it as their error; the middleware adds `instance` and `request_id`. Cheap to move.
///
/// ```
/// use composable_rust_web::Problem;
/// let problem = Problem::conflict("sales_closed", "the sale of this event has ended").with("closed_at", "2026-01-01");
/// assert_eq!(problem.status(), 409);
/// assert_eq!(problem.code(), "sales_closed");
/// ```
#[derive(Clone, PartialEq)]
pub struct Problem(Box<Inner>);

#[derive(Debug, Clone, PartialEq)]
struct Inner {
    status: StatusCode,
    code: Cow<'static, str>,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    extra: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem with a status, a stable code (`snake_case`) and a sentence for people.
    pub fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(Box::new(Inner {
            status,
            code: code.into(),
            detail: detail.into(),
            errors: Vec::new(),
            extra: Map::new(),
            headers: Vec::new(),
        }))
    }

    /// With a member of its own, such as `available`. The standard members cannot be replaced.
    #[must_use]
    pub fn with(mut self, member: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.extra.insert(member.into(), value.into());
        self
    }

    /// With what is wrong in the fields of the body.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.0.errors = errors;
        self
    }

    /// With a header of the answer.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// With `Retry-After`, in whole seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u32) -> Self {
        self.with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// With another sentence for people, where the route knows better what is needed.
    #[must_use]
    pub(crate) fn explained(mut self, detail: &'static str) -> Self {
        self.0.detail = detail.into();
        self
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The stable name that programs check.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// The sentence for people.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// What is wrong in the fields of the body.
    pub fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    /// A member of its own.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.0.extra.get(name)
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.0.status.as_u16(), self.0.code, self.0.detail)
    }
}

impl std::error::Error for Problem {}
