//! Headers that every answer carries, problems too. A handler or a route's layer that sets one of them has the last word;
//! only an error is never cached.

use crate::HttpOptions;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

const POLICY: &str =
    "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";
/// For answers that are no page: nothing of them may run or be framed.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";
const ONLY_HTTPS: &str = "max-age=31536000; includeSubDomains";

/// Adds what is missing: no caching, no sniffing, no framing, no scripts from elsewhere, no plain HTTP.
pub(crate) fn protect(status: StatusCode, headers: &mut HeaderMap, options: &HttpOptions) {
    let is_page =
        headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let policy = if is_page { POLICY } else { NOTHING };
    if status.is_client_error() || status.is_server_error() {
        headers.remove(header::CACHE_CONTROL);
    }
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if options.only_https {
        let value = HeaderValue::from_static(ONLY_HTTPS);
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(value);
    }
}
