//! What a client believes or wants to see: `If-Match` and `X-Min-Position`.

use crate::Problem;
use crate::page::position_seen;
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;
use composable_rust_core::{ExpectedVersion, Position, Projection, StreamVersion};
use composable_rust_runtime::{Expectation, View};

/// The version that a client changes, from `If-Match: "<version>"` (the `ETag` of its last read), or `*` for any.
///
/// Missing is 428 `if_match_missing`; take `Option<IfMatch>` where it may be left out. Give it to the command that
/// changes the aggregate, `app.execute(id, change).expecting(if_match)`: the check and the change are then one, and
/// where it does not match the answer is 412 `version_mismatch`. A tag that is none of ours matches nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfMatch {
    expected: Vec<ExpectedVersion>,
}

impl IfMatch {
    fn parse(text: &str) -> Option<Self> {
        let mut expected = Vec::new();
        for tag in text.split(',').map(str::trim) {
            match tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')) {
                Some(tag) => expected.extend(version_of(tag).map(ExpectedVersion::Exact)),
                None if tag == "*" => expected.push(ExpectedVersion::Exists),
                // A weak tag never matches (RFC 9110, 13.1.1).
                None if tag.starts_with("W/\"") && tag.ends_with('"') => {}
                None => return None,
            }
        }
        Some(Self { expected })
    }
}

impl From<IfMatch> for Expectation {
    fn from(if_match: IfMatch) -> Self {
        Self::one_of(if_match.expected)
    }
}

/// The version that a tag of ours names, written as we write it.
fn version_of(tag: &str) -> Option<StreamVersion> {
    let version = StreamVersion::try_from(tag.parse::<u64>().ok()?).ok()?;
    (version.to_string() == tag).then_some(version)
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
        let lines: Vec<_> = parts.headers.get_all(IF_MATCH).iter().collect();
        if lines.is_empty() {
            return Ok(None);
        }
        // Several lines count as one list (RFC 9110, 5.2).
        let lines = lines.into_iter().map(|line| line.to_str().ok()).collect::<Option<Vec<_>>>();
        let parsed = lines.and_then(|lines| Self::parse(&lines.join(",")));
        let wrong = || Problem::invalid_parameter("If-Match", "If-Match reads \"<version>\", in quotes");
        parsed.ok_or_else(wrong).map(Some)
    }
}

/// `X-Min-Position`: the position that a list must show, from the `X-Position` of an earlier write; of a page that
/// follows a form, from [`SeeOther::after`](crate::SeeOther::after).
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
        let Some(value) = parts.headers.get("x-min-position") else {
            return Ok(Self(position_seen(&parts.headers)));
        };
        let number = value.to_str().ok().and_then(|text| text.trim().parse::<u64>().ok());
        let position = number.and_then(|number| Position::try_from(number).ok());
        let wrong = || Problem::invalid_parameter("X-Min-Position", "X-Min-Position is a whole number");
        position.ok_or_else(wrong).map(|position| Self(Some(position)))
    }
}
