//! Problems as pages, for people.

use super::Asked;
use crate::Problem;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use std::fmt;

/// Makes pages of problems; [`WebExt::problem_pages`](crate::WebExt::problem_pages) takes one. It is asked when a browser
/// opens an address or sends a form; programs get `application/problem+json` as always.
pub trait ProblemPages: fmt::Debug + Send + Sync {
    /// The page, or `None` where programs are served and people are not, such as under `/api`. A page of status 200 gets
    /// the problem's own; another status stays, so that the answer may lead elsewhere, such as to a sign-in page.
    fn page(&self, refused: &Refused<'_>) -> Option<Response>;
}

/// A request that ended in a problem.
#[derive(Debug, Clone, Copy)]
pub struct Refused<'a> {
    /// Why.
    pub problem: &'a Problem,
    /// How it was asked.
    pub method: &'a Method,
    /// What was asked for, without the query.
    pub path: &'a str,
    /// The query, if there was one.
    pub query: Option<&'a str>,
    /// What a person quotes who asks about it.
    pub request_id: &'a str,
}

/// Puts the page in place of the answer, whose headers it keeps; `false` when there is none.
pub(crate) fn replace(
    response: &mut Response,
    pages: &dyn ProblemPages,
    (problem, asked): (&Problem, &Asked),
    request_id: &str,
) -> bool {
    let refused = Refused {
        problem,
        method: &asked.method,
        path: &asked.path,
        query: asked.query.as_deref(),
        request_id,
    };
    let Some(mut page) = pages.page(&refused) else { return false };
    if page.status() == StatusCode::OK {
        *page.status_mut() = problem.status();
    }
    for (name, value) in response.headers() {
        if ![header::CONTENT_TYPE, header::CONTENT_LENGTH].contains(name) {
            page.headers_mut().append(name, value.clone());
        }
    }
    page.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
    *response = page;
    true
}
