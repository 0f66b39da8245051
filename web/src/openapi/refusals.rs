//! How an operation refuses: by status, with the codes of its problems.

use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The codes of each status.
#[derive(Debug, Clone, Default)]
pub(super) struct Refusals(BTreeMap<u16, BTreeSet<&'static str>>);

impl Refusals {
    /// What may happen to any request that reaches a route.
    pub(super) fn of_any() -> Self {
        let mut refusals = Self::default();
        refusals.add(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, &["request_header_fields_too_large"]);
        refusals.add(StatusCode::INTERNAL_SERVER_ERROR, &["internal"]);
        refusals.add(StatusCode::SERVICE_UNAVAILABLE, &["overloaded"]);
        refusals
    }

    /// What may happen to a request with this method.
    pub(super) fn of_every(method: &Method) -> Self {
        let mut refusals = Self::of_any();
        refusals.add(StatusCode::UNSUPPORTED_MEDIA_TYPE, &["unsupported_media_type"]);
        refusals.add(StatusCode::TOO_MANY_REQUESTS, &["rate_limited"]);
        refusals.add(StatusCode::SERVICE_UNAVAILABLE, &["draining"]);
        if !method.is_safe() {
            // A page of another site.
            refusals.add(StatusCode::FORBIDDEN, &["forbidden"]);
        }
        refusals
    }

    pub(super) fn add(&mut self, status: StatusCode, codes: &[&'static str]) {
        self.0.entry(status.as_u16()).or_default().extend(codes);
    }

    /// A reference for each status, to one of [`Self::components`].
    pub(super) fn responses(&self) -> Map<String, Value> {
        let reference = |(status, codes): (&u16, &BTreeSet<_>)| {
            let reference = format!("#/components/responses/{}", name(*status, codes));
            (status.to_string(), json!({ "$ref": reference }))
        };
        self.0.iter().map(reference).collect()
    }

    /// The responses that it refers to, by name.
    pub(super) fn components(&self) -> impl Iterator<Item = (String, Value)> + '_ {
        self.0.iter().map(|(status, codes)| (name(*status, codes), response(*status, codes)))
    }
}

fn name(status: u16, codes: &BTreeSet<&str>) -> String {
    codes.iter().fold(status.to_string(), |name, code| format!("{name}.{code}"))
}

fn response(status: u16, codes: &BTreeSet<&str>) -> Value {
    let listed: Vec<_> = codes.iter().map(|code| format!("`{code}`")).collect();
    let own = json!({ "properties": { "status": { "const": status }, "code": { "enum": codes } } });
    let schema = json!({ "allOf": [{ "$ref": "#/components/schemas/Problem" }, own] });
    let mut headers: Map<_, _> = headers_of_every().collect();
    let told = match status {
        401 => Some("WWW-Authenticate"),
        429 | 503 => Some("Retry-After"),
        _ => None,
    };
    headers.extend(told.map(|name| (name.to_owned(), referred(name))));
    json!({
        "description": format!("It is refused: {}", listed.join(", ")),
        "headers": headers,
        "content": { "application/problem+json": { "schema": schema } },
    })
}

/// The ids that every answer has.
pub(super) fn headers_of_every() -> impl Iterator<Item = (String, Value)> {
    ["X-Request-ID", "X-Correlation-ID"].into_iter().map(|name| (name.to_owned(), referred(name)))
}

fn referred(name: &str) -> Value {
    json!({ "$ref": format!("#/components/headers/{name}") })
}

/// The headers that responses refer to.
pub(super) fn headers() -> Value {
    let header =
        |about: &str, schema: Value| json!({ "description": about, "required": true, "schema": schema });
    let text = json!({ "type": "string" });
    json!({
        "X-Request-ID": header("Names this request in the log.", text.clone()),
        "X-Correlation-ID": header("Ties together what this request started.", text.clone()),
        "WWW-Authenticate": header("How to sign in.", text),
        "Retry-After": header("After how many seconds to try again.", json!({ "type": "integer", "minimum": 1 })),
    })
}

/// RFC 9457, with what every problem of ours has.
pub(super) fn problem() -> Value {
    let text = json!({ "type": "string" });
    let error = json!({
        "type": "object",
        "required": ["pointer", "code", "detail"],
        "properties": { "pointer": text, "code": text, "detail": text },
    });
    json!({
        "type": "object",
        "description": "Why a request was refused or failed (RFC 9457); some codes have members of their own.",
        "required": ["type", "title", "status", "detail", "code", "instance", "request_id"],
        "properties": {
            "type": { "type": "string", "description": "/problems/ and the code." },
            "title": text,
            "status": { "type": "integer" },
            "detail": { "type": "string", "description": "A sentence for people." },
            "code": { "type": "string", "description": "For programs: it stays the same." },
            "instance": { "type": "string", "description": "The path that was asked for." },
            "request_id": text,
            "errors": { "type": "array", "items": error, "description": "All that is wrong in a body, by JSON pointer." },
            "expected_version": {}, "actual_version": { "type": "integer" }, "retry_strategy": text,
        },
        "example": {
            "type": "/problems/not_found", "title": "Not found", "status": 404, "code": "not_found",
            "detail": "there is nothing here", "instance": "/nowhere",
            "request_id": "0190a1b2-c3d4-7000-8000-000000000000"
        },
    })
}
