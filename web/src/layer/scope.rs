//! One request from outside to inside: ids, span, panics, time limit, draining, and the last touch to its answer.

use super::headers::protect;
use crate::principal::{Authenticator, Credential, Identity};
use crate::problem::{Filled, rendered};
use crate::{BodyLimit, Problem, RequestIds, Web};
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use composable_rust_core::elapsed;
use futures_util::FutureExt;
use std::any::Any;
use std::panic::AssertUnwindSafe;
use tracing::{Instrument, Span, field};

/// The outermost layer.
pub(crate) async fn scope(State(web): State<Web>, mut request: Request, next: Next) -> Response {
    let environment = web.application().environment().clone();
    let started = environment.now();
    let ids = RequestIds::of(request.headers(), &environment);
    let path = request.uri().path().to_owned();
    let span = span(&request, &ids);
    let extensions = request.extensions_mut();
    extensions.insert(ids.clone());
    if extensions.get::<BodyLimit>().is_none() {
        extensions.insert(BodyLimit(web.options().body_limit));
    }
    extensions.insert(web.clone());
    let mut response = bounded(&web, request, next).instrument(span.clone()).await;
    finish(&mut response, &path, &ids);
    let took = elapsed(started, environment.now());
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

async fn bounded(web: &Web, request: Request, next: Next) -> Response {
    let run = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(web.options().request_timeout, run).await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => {
            tracing::error!(panic = message(panic.as_ref()), "a handler panicked");
            Problem::internal().into_response()
        }
        Err(_) => {
            tracing::warn!("a request ran out of time");
            Problem::overloaded().into_response()
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

fn finish(response: &mut Response, path: &str, ids: &RequestIds) {
    if let Some(problem) = problem_of(response) {
        let filled = Filled { instance: Some(path), request_id: Some(ids.request_id()) };
        *response.body_mut() = Body::from(rendered(&problem, filled));
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_LENGTH);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    }
    ids.echo(response.headers_mut());
    protect(response.headers_mut());
}

/// The problem of an answer: the one it was made from, or one for an error that other code answered in plain text.
fn problem_of(response: &mut Response) -> Option<Problem> {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        return Some(problem);
    }
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_plain = kind.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    ((status.is_client_error() || status.is_server_error()) && is_plain).then(|| Problem::of_status(status))
}

/// Refuses work while draining, then finds out who asks.
pub(crate) async fn authenticate(State(web): State<Web>, mut request: Request, next: Next) -> Response {
    if web.is_draining() {
        return Problem::draining().into_response();
    }
    let credential = Credential::of(&request, web.authenticator().and_then(Authenticator::cookie));
    let identity = Identity::of(&web, credential).await;
    request.extensions_mut().insert(identity);
    next.run(request).await
}

/// Answers what no route answers.
pub(crate) async fn not_found() -> Problem {
    Problem::of_status(StatusCode::NOT_FOUND)
}

/// Answers a method that a route does not take; the router adds `Allow`.
pub(crate) async fn not_here() -> Problem {
    Problem::of_status(StatusCode::METHOD_NOT_ALLOWED)
}
