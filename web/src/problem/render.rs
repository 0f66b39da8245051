//! A problem as an HTTP answer. Rendered once where it is made, and once more by the middleware, which knows the
//! request's path and id.

use super::{FieldError, Problem};
use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};

const STANDARD_MEMBERS: [&str; 8] =
    ["type", "title", "status", "detail", "instance", "code", "request_id", "errors"];

/// What the middleware knows of the request.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Filled<'a> {
    pub(crate) instance: Option<&'a str>,
    pub(crate) request_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: String,
    status: u16,
    code: &'a str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    #[serde(flatten)]
    extra: Map<String, Value>,
}

/// The JSON text of a problem.
pub(crate) fn rendered(problem: &Problem, filled: Filled<'_>) -> Vec<u8> {
    let inner = &problem.0;
    let mut extra = inner.extra.clone();
    extra.retain(|name, _| !STANDARD_MEMBERS.contains(&name.as_str()));
    let document = Document {
        kind: format!("/problems/{}", inner.code),
        title: title(&inner.code),
        status: inner.status.as_u16(),
        code: &inner.code,
        detail: &inner.detail,
        instance: filled.instance,
        request_id: filled.request_id,
        errors: &inner.errors,
        extra,
    };
    serde_json::to_vec(&document).unwrap_or_default()
}

/// `sales_closed` reads `Sales closed`.
fn title(code: &str) -> String {
    let mut text = code.replace('_', " ");
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(rendered(&self, Filled::default())));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        for (name, value) in &self.0.headers {
            headers.insert(name.clone(), value.clone());
        }
        response.extensions_mut().insert(self);
        response
    }
}
