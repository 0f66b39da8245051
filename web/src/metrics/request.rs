//! What is counted of each request.

use axum::extract::{MatchedPath, Request};
use axum::http::{Method, StatusCode};
use std::time::Duration;

/// What a request's metrics are told apart by: its method, and its route by the template. A raw path would let anybody
/// make up labels without end.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    method: &'static str,
    route: Option<MatchedPath>,
}

impl Measured {
    pub(crate) fn of(request: &Request) -> Self {
        Self { method: known(request.method()), route: request.extensions().get().cloned() }
    }

    pub(crate) fn answered(self, status: StatusCode, took: Duration) {
        let route = self.route.as_ref().map_or("unmatched", MatchedPath::as_str);
        let labels = [
            ("method", self.method.to_owned()),
            ("route", route.to_owned()),
            ("status", status.as_str().to_owned()),
        ];
        metrics::counter!("http_requests_total", &labels).increment(1);
        metrics::histogram!("http_request_duration_seconds", &labels).record(took.as_secs_f64());
    }
}

/// Methods can be made up as well.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
