//! Which pages of other origins may use this API from a browser: those that the operator names, with a bearer token.
//!
//! Cookies are not sent across origins (no `Access-Control-Allow-Credentials`).

use axum::http::{HeaderName, HeaderValue, Method, Uri, header};
use std::time::Duration;
use tower_http::cors::CorsLayer;

/// How long a browser may remember what it is allowed.
const REMEMBERED: Duration = Duration::from_mins(10);

const METHODS: [Method; 6] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

const SENT: [&str; 10] = [
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "last-event-id",
    "traceparent",
    "x-correlation-id",
    "x-min-position",
    "x-request-id",
];

const EXPOSED: [&str; 12] = [
    "etag",
    "idempotent-replayed",
    "location",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "x-correlation-id",
    "x-position",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-request-id",
];

/// The layer that lets in `origins`; `None` when there are none.
pub(crate) fn cors(origins: &[String]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let origins: Vec<_> = origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect();
    let layer = CorsLayer::new()
        .allow_origin(origins)
        .allow_methods(METHODS)
        .allow_headers(SENT.map(HeaderName::from_static))
        .expose_headers(EXPOSED.map(HeaderName::from_static))
        .max_age(REMEMBERED)
        .vary([header::ORIGIN]);
    Some(layer)
}

/// The first of `origins` that no browser would send.
pub(crate) fn bad_origin(origins: &[String]) -> Option<&str> {
    origins.iter().map(String::as_str).find(|origin| !is_origin(origin))
}

/// Whether a text is an origin as browsers send it: `http` or `https`, a host and perhaps a port, in small letters and
/// without a path. What [`HttpOptions::cors_origins`](crate::HttpOptions::cors_origins) takes.
pub fn is_origin(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    let Some(authority) = uri.authority().filter(|_| is_web) else { return false };
    let exact = format!("{}://{authority}", uri.scheme_str().unwrap_or_default());
    exact == text && text == text.to_ascii_lowercase() && !authority.as_str().contains('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_neither_path_nor_wildcard() {
        assert!(is_origin("https://shop.example") && is_origin("http://localhost:3000"));
        for bad in
            ["*", "null", "", "shop.example", "https://shop.example/", "https://a@b", "https://A.example"]
        {
            assert!(!is_origin(bad), "{bad}");
        }
    }
}
