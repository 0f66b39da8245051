//! The last touch to an answer: problems get what only the request knows, and every answer its ids and headers.

use super::headers::protect;
use crate::page::{Asked, only_by_https, replace};
use crate::problem::{Filled, rendered};
use crate::{Problem, RequestIds, Web};
use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;

/// Finishes the answer to what was asked.
pub(crate) fn finish(response: &mut Response, asked: &Asked, ids: &RequestIds, web: &Web) {
    if let Some(problem) = problem_of(response) {
        let pages = web.problem_pages().filter(|_| asked.wants_page);
        if !pages.is_some_and(|pages| replace(response, pages, (&problem, asked), ids.request_id())) {
            document(response, &problem, asked, ids);
        }
    }
    ids.echo(response.headers_mut());
    if web.options().only_https {
        only_by_https(response.headers_mut());
    }
    protect(response.status(), response.headers_mut(), web.options());
}

/// The problem for programs, with what only the request knows.
fn document(response: &mut Response, problem: &Problem, asked: &Asked, ids: &RequestIds) {
    let filled = Filled { instance: Some(&asked.path), request_id: Some(ids.request_id()) };
    *response.body_mut() = Body::from(rendered(problem, filled));
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
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
