//! What is taken in at all, and from whom.

use crate::principal::{Authenticator, Credential, Identity};
use crate::{Problem, Web};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Refuses work while draining, and bodies in a content coding: a compressed body could unpack to any size.
pub(crate) async fn intake(State(web): State<Web>, request: Request, next: Next) -> Response {
    let is_coded = request.headers().get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity");
    match (web.is_draining(), is_coded) {
        (true, _) => Problem::draining().into_response(),
        (false, true) => Problem::unsupported_media_type().into_response(),
        (false, false) => next.run(request).await,
    }
}

/// Finds out who asks.
pub(crate) async fn authenticate(State(web): State<Web>, mut request: Request, next: Next) -> Response {
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
