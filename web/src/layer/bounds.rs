//! No request lasts for ever, and no panic of a handler reaches anybody else.

use crate::{Problem, Web};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use std::any::Any;
use std::panic::AssertUnwindSafe;

/// Answers 503 when the time is up, 500 for a panic.
pub(crate) async fn bounded(State(web): State<Web>, request: Request, next: Next) -> Response {
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
