//! Reads a whole body into memory under the limit of its route.

use crate::Problem;
use crate::server::BodyTooSlow;
use axum::Extension;
use axum::body::Body;
use axum::http::{HeaderValue, Request, header};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::error::Error;

/// Most bytes of a body that a route takes; see [`body_limit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLimit(pub(crate) usize);

/// A layer that lets routes take bodies of up to `bytes` bytes instead of the default
/// [`HttpOptions::body_limit`](crate::HttpOptions::body_limit); never more than
/// [`HttpOptions::body_ceiling`](crate::HttpOptions::body_ceiling).
pub fn body_limit(bytes: usize) -> Extension<BodyLimit> {
    Extension(BodyLimit(bytes))
}

/// The whole body, at most `limit` bytes of it.
///
/// # Errors
/// 413 when it is larger, 400 when it breaks off or does not arrive in time.
pub(crate) async fn read_body(request: Request<Body>, limit: usize) -> Result<Bytes, Problem> {
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    let read = Limited::new(request.into_body(), limit).collect().await;
    read.map(http_body_util::Collected::to_bytes).map_err(|error| broken_body(error.as_ref()))
}

fn broken_body(error: &(dyn Error + 'static)) -> Problem {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return too_large();
        }
        if error.is::<BodyTooSlow>() {
            return the_last(Problem::malformed_request("the body did not arrive in time"));
        }
        cause = error.source();
    }
    Problem::malformed_request("the body broke off")
}

fn too_large() -> Problem {
    the_last(Problem::body_too_large())
}

/// The last answer on its connection: what comes after it there is the rest of this body, and no request.
fn the_last(problem: Problem) -> Problem {
    problem.with_header(header::CONNECTION, HeaderValue::from_static("close"))
}
