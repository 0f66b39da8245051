//! How long an answer may be kept. Whoever says nothing gets `no-store`.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponseParts, ResponseParts};
use std::convert::Infallible;

/// A part of an answer that says how long browsers and caches may keep it. Errors are never kept, whatever is said.
///
/// ```
/// use axum::{Router, routing::get};
/// use composable_rust_web::CacheControl;
/// let routes: Router = Router::new()
///     .route("/static/app-5f3a.css", get(async || (CacheControl::IMMUTABLE, "body { margin: 0 }")));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheControl(&'static str);

impl CacheControl {
    /// For a year, by everybody: what never changes under its address, such as a file with a hash in its name.
    pub const IMMUTABLE: Self = Self("public, max-age=31536000, immutable");
    /// Kept, but asked about before each use.
    pub const REVALIDATE: Self = Self("no-cache");
    /// Not kept at all.
    pub const NO_STORE: Self = Self("no-store");
}

impl IntoResponseParts for CacheControl {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        parts.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(self.0));
        Ok(parts)
    }
}
