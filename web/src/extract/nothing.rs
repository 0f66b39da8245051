//! Routes that take no body: what is sent to them all the same is read as strictly as any other body, so that nobody
//! believes that it was heard.

use super::json::{check_media_type, decode, limit_of};
use super::read_body;
use crate::Problem;
use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// What may be sent: nothing, or an object without members.
#[derive(Debug, Clone, Copy, serde::Deserialize)]
struct Nothing {}

/// Refuses what is sent to a route that takes no body, as [`JsonBody`](crate::JsonBody) would; a body of no bytes, of
/// whatever type, is none.
pub(crate) async fn no_body(request: Request, next: Next) -> Response {
    match without_body(request).await {
        Ok(request) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

async fn without_body(request: Request) -> Result<Request, Problem> {
    if request.body().size_hint().exact() == Some(0) {
        return Ok(request);
    }
    let limit = limit_of(&request);
    let (parts, body) = request.into_parts();
    let mut sized = Request::new(body);
    if let Some(length) = parts.headers.get(header::CONTENT_LENGTH) {
        sized.headers_mut().insert(header::CONTENT_LENGTH, length.clone());
    }
    let bytes = read_body(sized, limit).await?;
    if !bytes.is_empty() {
        check_media_type(&parts.headers)?;
        decode::<Nothing>(&bytes)?;
    }
    Ok(Request::from_parts(parts, Body::empty()))
}
