//! What a client believes or wants to see: `If-Match` and `X-Min-Position`.

use crate::Problem;
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;
use composable_rust_core::{Position, Projection, StreamVersion};
use composable_rust_runtime::View;

/// The version that a client changes, from `If-Match: "<version>"` (the `ETag` of its last read), or `*` for any.
///
/// Missing is 428 `if_match_missing`; take `Option<IfMatch>` where it may be left out. A tag that is none of ours
/// matches nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfMatch {
    tags: Vec<String>,
}

impl IfMatch {
    /// Checks the version that was loaded.
    ///
    /// # Errors
    /// 412 `version_mismatch` with both versions.
    pub fn check(&self, actual: StreamVersion) -> Result<(), Problem> {
        let current = actual.to_string();
        let matches = self.tags.iter().any(|tag| *tag == current || tag == "*");
        let expected = self.tags.first().map_or("", String::as_str);
        if matches { Ok(()) } else { Err(Problem::version_mismatch(expected, actual)) }
    }

    fn parse(text: &str) -> Option<Self> {
        let tag = |part: &str| match part.trim() {
            "*" => Some("*".to_owned()),
            // A weak tag never matches (RFC 9110, 13.1.1); it stays recognisable as one.
            weak if weak.starts_with("W/\"") && weak.ends_with('"') => Some(weak.to_owned()),
            strong => strong.strip_prefix('"')?.strip_suffix('"').map(str::to_owned),
        };
        text.split(',').map(tag).collect::<Option<Vec<_>>>().map(|tags| Self { tags })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let given = <Self as OptionalFromRequestParts<S>>::from_request_parts(parts, state).await?;
        given.ok_or_else(Problem::if_match_missing)
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        let Some(value) = parts.headers.get(IF_MATCH) else { return Ok(None) };
        let parsed = value.to_str().ok().and_then(Self::parse);
        let wrong = || Problem::invalid_parameter("If-Match", "If-Match reads \"<version>\", in quotes");
        parsed.ok_or_else(wrong).map(Some)
    }
}

/// `X-Min-Position`: the position that a list must show, from the `X-Position` of an earlier write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinPosition(pub Option<Position>);

impl MinPosition {
    /// The view, waiting for that position before it is read; it gives up with 503 `view_behind`.
    #[must_use]
    pub fn of<P: Projection>(self, view: View<P>) -> View<P> {
        match self.0 {
            Some(position) => view.at_least_position(position),
            None => view,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for MinPosition {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get("x-min-position") else { return Ok(Self(None)) };
        let number = value.to_str().ok().and_then(|text| text.trim().parse::<u64>().ok());
        let position = number.and_then(|number| Position::try_from(number).ok());
        let wrong = || Problem::invalid_parameter("X-Min-Position", "X-Min-Position is a whole number");
        position.ok_or_else(wrong).map(|position| Self(Some(position)))
    }
}
