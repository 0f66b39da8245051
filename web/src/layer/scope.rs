//! One request from its arrival to its answer: ids, span, who is at the other end, and the last touch to the answer.

use super::finish::finish;
use crate::metrics::Measured;
use crate::page::Asked;
use crate::{BodyLimit, RequestIds, Web};
use axum::extract::{MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use composable_rust_core::elapsed;
use std::time::Duration;
use tracing::{Instrument, Span, field};

/// Requests of probes and of what collects metrics.
const WATCHING: [&str; 7] =
    ["/livez", "/health/live", "/readyz", "/health/ready", "/ready", "/health", "/metrics"];

/// The layer that knows the whole request.
pub(crate) async fn scope(State(web): State<Web>, mut request: Request, next: Next) -> Response {
    let environment = web.application().environment().clone();
    let (started, _under_way) = (environment.now(), web.entered());
    let ids = RequestIds::of(request.headers(), &environment);
    let asked = Asked::of(&request);
    let line = format!("{} {}", request.method(), route(&request));
    let is_watching = WATCHING.contains(&route(&request));
    let span = span(&request, &ids, &line);
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
    span.in_scope(|| log(&line, is_watching, response.status(), took));
    response
}

/// One line for people at `info`; what only watches, and asks every few seconds, is at `debug`.
fn log(line: &str, is_watching: bool, status: StatusCode, took: Duration) {
    let duration_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let (status, ms) = (status.as_u16(), took.as_secs_f64() * 1_000.0);
    if is_watching {
        tracing::debug!(duration_us, "{line} {status} in {ms:.1} ms");
    } else {
        tracing::info!(duration_us, "{line} {status} in {ms:.1} ms");
    }
}

/// The route's template: a raw path would let anybody write into the log.
fn route(request: &Request) -> &str {
    request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str)
}

fn span(request: &Request, ids: &RequestIds, line: &str) -> Span {
    tracing::info_span!(
        "http.request",
        otel.name = line,
        http.request.method = %request.method(),
        http.route = route(request),
        http.response.status_code = field::Empty,
        request_id = ids.request_id(),
        correlation_id = ids.correlation_text(),
        trace_id = ids.trace_id(),
    )
}
