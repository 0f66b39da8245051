//! A JSON body, read strictly: wrong types, missing and unknown fields are refused with their place in it.

use super::findings::{Findings, Validate, pointer_in};
use super::reader::read;
use super::tree::Node;
use super::{BodyLimit, read_body};
use crate::{FieldError, Problem, Web};
use axum::body::Body;
use axum::extract::{FromRequest, OptionalFromRequest, Request};
use axum::http::{HeaderMap, header};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_path_to_error::Segment;

/// A validated JSON body.
///
/// Fields that `T` does not know are refused without an attribute on it, and so is an array where an object is wanted;
/// only where serde buffers (internally tagged and untagged enums, `flatten`) the type itself must say
/// `#[serde(deny_unknown_fields)]`, and an untagged enum with `#[serde(expecting = "…")]` what it takes.
/// As `Option<JsonBody<T>>` the body may be left out.
#[derive(Debug, Clone, Copy)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned + Validate, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        check_media_type(request.headers())?;
        let limit = limit_of(&request);
        let value: T = decode(&read_body(request, limit).await?)?;
        let mut findings = Findings::default();
        value.validate(&mut findings);
        findings.into_result().map(|()| Self(value))
    }
}

impl<T: DeserializeOwned + Validate, S: Send + Sync> OptionalFromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Problem> {
        if request.headers().contains_key(header::CONTENT_TYPE) {
            let (parts, body) = request.into_parts();
            let limit = parts.extensions.get::<BodyLimit>().copied();
            let bytes = read_body(Request::new(body), limit.map_or(usize::MAX, |limit| limit.0)).await?;
            if bytes.is_empty() {
                return Ok(None);
            }
            let request = Request::from_parts(parts, Body::from(bytes));
            return <Self as FromRequest<S>>::from_request(request, state).await.map(Some);
        }
        let bytes = read_body(request, 0).await;
        bytes.map(|_| None).map_err(|problem| match problem.code() {
            "body_too_large" => Problem::unsupported_media_type(),
            _ => problem,
        })
    }
}

/// Most bytes of a body that the route of a request takes.
pub(crate) fn limit_of(request: &Request) -> usize {
    let own = request.extensions().get::<BodyLimit>().map(|limit| limit.0);
    own.or_else(|| request.extensions().get::<Web>().map(|web| web.options().body_limit)).unwrap_or(64 * 1024)
}

/// JSON in UTF-8.
pub(super) fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = kind.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let is_json =
        essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"));
    let is_utf8 = parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
            value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        Some(_) | None => true,
    });
    if is_json && is_utf8 { Ok(()) } else { Err(Problem::unsupported_media_type()) }
}

/// A value from JSON text.
///
/// # Errors
/// 400 when it is not JSON in UTF-8, 422 when it is not a `T`.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|_| Problem::malformed_request("the body is not UTF-8"))?;
    match read(&tree_of(text)?, false) {
        (Ok(value), unknown) if unknown.is_empty() => Ok(value),
        (Ok(_), unknown) => Err(Problem::validation_failed(unknown)),
        (Err(faults), unknown) => Err(Problem::validation_failed([unknown, faults].concat())),
    }
}

/// A value from the fields of a form; those that it does not know are left.
///
/// # Errors
/// 422 when it is not a `T`.
pub(crate) fn decode_form<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let (value, _) = read(&Node::of_pairs(form_urlencoded::parse(bytes)), true);
    value.map_err(Problem::validation_failed)
}

/// The text as a tree. JSON allows numbers that no `f64` holds and any depth; both are refused with their place.
fn tree_of(text: &str) -> Result<Node, Problem> {
    let mut json = serde_json::Deserializer::from_str(text);
    let tree = serde_path_to_error::deserialize(&mut json);
    if (tree.is_err() || json.end().is_err()) && serde_json::from_str::<IgnoredAny>(text).is_err() {
        return Err(Problem::malformed_request("the body is not JSON"));
    }
    tree.map_err(|error: serde_path_to_error::Error<serde_json::Error>| {
        let pointer = error.path().iter().fold(String::new(), |at, segment| match segment {
            Segment::Seq { index } => pointer_in(&at, &index.to_string()),
            Segment::Map { key } => pointer_in(&at, key),
            Segment::Enum { .. } | Segment::Unknown => at,
        });
        let detail = "this number is too large, or it is nested too deeply".into();
        Problem::validation_failed(vec![FieldError { pointer, code: "out_of_range".into(), detail }])
    })
}
