//! Answers in brotli or gzip where the client takes it and it pays.

use axum::http::{Extensions, HeaderMap, StatusCode, Version, header};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{Predicate, SizeAbove};

/// Smaller answers fit into one packet anyway.
const SMALLEST: u64 = 1024;

/// Compresses text from 1 KiB on. Not server-sent events, which must leave at once, nor what is compressed already.
pub(crate) fn compression() -> CompressionLayer<impl Predicate + Send + Sync + 'static> {
    CompressionLayer::new().compress_when(SizeAbove::new(SMALLEST).and(is_text))
}

fn is_text(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_structured = ["json", "xml", "javascript"].iter().any(|end| kind.ends_with(end));
    kind != "text/event-stream" && (kind.starts_with("text/") || is_structured)
}
