//! One request from its arrival to its answer: ids, span, who is at the other end, and the last touch to the answer.

use super::finish::finish;
use crate::metrics::Measured;
use crate::page::Asked;
use crate::{BodyLimit, RequestIds, Web};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use composable_rust_core::elapsed;
use tracing::{Instrument, Span, field};

/// The layer that knows the whole request.
pub(crate) async fn scope(State(web): State<Web>, mut request: Request, next: Next) -> Response {
    let environment = web.application().environment().clone();
    let started = environment.now();
    let ids = RequestIds::of(request.headers(), &environment);
    let asked = Asked::of(&request);
    let span = span(&request, &ids);
    let measured = web.options().metrics.then(|| Measured::of(&request));
    let client = web.options().trusted_proxies.client_of(&request);
    let extensions = request.extensions_mut();
    extensions.insert(ids.clone());
    extensions.insert(client);
    if extensions.get::<BodyLimit>().is_none() {
        extensions.insert(BodyLimit(web.options().body_limit));
    }
    extensions.insert(web.clone());
    let mut response = next.run(request).instrument(span.clone()).await;
    finish(&mut response, &asked, &ids, &web);
    let took = elapsed(started, environment.now());
    if let Some(measured) = measured {
        measured.answered(response.status(), took);
    }
    span.record("http.response.status_code", response.status().as_u16());
    let duration_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    span.in_scope(|| tracing::debug!(duration_us, "answered"));
    response
}

/// Knows the route by its template: a raw path would let anybody write into the log.
fn span(request: &Request, ids: &RequestIds) -> Span {
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str);
    tracing::info_span!(
        "http.request",
        otel.name = format!("{} {route}", request.method()),
        http.request.method = %request.method(),
        http.route = route,
        http.response.status_code = field::Empty,
        request_id = ids.request_id(),
        correlation_id = ids.correlation_text(),
        trace_id = ids.trace_id(),
    )
}
