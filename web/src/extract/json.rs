//! A JSON body, read strictly: wrong types, missing and unknown fields are refused with their place in it.

use super::findings::{Findings, Validate, pointer_in};
use super::{BodyLimit, read_body};
use crate::{FieldError, Problem, Web};
use axum::body::Body;
use axum::extract::{FromRequest, OptionalFromRequest, Request};
use axum::http::{HeaderMap, header};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_path_to_error::{Segment, Track};

/// A validated JSON body.
///
/// Fields that `T` does not know are refused without an attribute on it; only where serde buffers (internally tagged
/// and untagged enums, `flatten`) the type itself must say `#[serde(deny_unknown_fields)]`.
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
fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
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
    let mut errors = Vec::new();
    let mut json = serde_json::Deserializer::from_str(text);
    let mut track = Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut json, &mut track);
    let read = serde_ignored::deserialize(tracked, |path| errors.push(unknown_field(pointer_of(&path))));
    let read = read.and_then(|value: T| json.end().map(|()| value));
    match read {
        Ok(value) if errors.is_empty() => Ok(value),
        Ok(_) => Err(Problem::validation_failed(errors)),
        Err(_) if !is_json(text) => Err(Problem::malformed_request("the body is not JSON")),
        Err(error) => {
            errors.push(wrong_field(pointer(&track.path()), &error));
            Err(Problem::validation_failed(errors))
        }
    }
}

/// A wrong type may stand before a broken end, and serde calls some wrong types an error of syntax (a number where an
/// enum is wanted, one that no `f64` holds); what is not JSON at all is called that.
fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    path.iter().fold(String::new(), |at, segment| match segment {
        Segment::Seq { index } => pointer_in(&at, &index.to_string()),
        Segment::Map { key } => pointer_in(&at, key),
        Segment::Enum { variant } => pointer_in(&at, variant),
        Segment::Unknown => at,
    })
}

fn pointer_of(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path;
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => pointer_in(&pointer_of(parent), &index.to_string()),
        Path::Map { parent, key } => pointer_in(&pointer_of(parent), key),
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => {
            pointer_of(parent)
        }
    }
}

fn unknown_field(pointer: String) -> FieldError {
    FieldError { pointer, code: "unknown_field".into(), detail: "this field is not known here".into() }
}

/// Serde tells the kind of an error only in its text, whose beginnings are stable.
fn wrong_field(at: String, error: &serde_json::Error) -> FieldError {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    let named = text.split('`').nth(1).unwrap_or_default();
    let last = at.rsplit('/').next().unwrap_or_default();
    if text.starts_with("unknown field") {
        let pointer = if last == named { at } else { pointer_in(&at, named) };
        return unknown_field(pointer);
    }
    if text.starts_with("missing field") {
        let pointer = pointer_in(&at, named);
        return FieldError { pointer, code: "required".into(), detail: "this field is missing".into() };
    }
    let code = match text.split_once(':').map_or(text, |(kind, _)| kind) {
        "invalid type" | "expected value" => "wrong_type",
        "number out of range" => "out_of_range",
        "invalid length" => "wrong_length",
        kind if kind.starts_with("unknown variant") => "unknown_value",
        kind if kind.starts_with("duplicate field") => "duplicate",
        _ => "invalid_value",
    };
    let detail: String = text.chars().take(200).collect();
    FieldError { pointer: at, code: code.into(), detail: detail.into() }
}
