//! No request has an endless head or lasts for ever, and no panic of a handler reaches anybody else.

use crate::{Problem, Web};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use composable_rust_core::panic_text;
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;

/// Answers 431 to a head over the limit, 503 when the time is up, 500 for a panic.
pub(crate) async fn bounded(State(web): State<Web>, request: Request, next: Next) -> Response {
    if head_size(&request) > web.options().max_head.max(8 * 1024) {
        return Problem::of_status(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE).into_response();
    }
    let run = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(web.options().request_timeout, run).await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => {
            tracing::error!(panic = panic_text(panic.as_ref()), "a handler panicked");
            Problem::internal().into_response()
        }
        Err(_) => {
            tracing::warn!("a request ran out of time");
            Problem::overloaded().into_response()
        }
    }
}

/// The bytes of the head as it came, but for spaces around values.
fn head_size(request: &Request) -> usize {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    let fields = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    request.method().as_str().len() + target + " HTTP/1.1 \r\n\r\n".len() + fields.sum::<usize>()
}
