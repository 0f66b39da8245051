//! Recognises a repeat before the handler runs, and keeps the answer after it.

use super::IdempotencyKey;
use super::command_request::Recognised;
use super::fingerprint::fingerprint;
use super::in_flight::Taken;
use crate::extract::read_body;
use crate::principal::Identity;
use crate::problem::chain;
use crate::{Problem, Web};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use composable_rust_core::CommandId;
use composable_rust_core::port::{CommandRecord, StoredResponse};

const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// What a repeat gets again besides status and body.
const KEPT_HEADERS: [&str; 5] = ["content-type", "etag", "location", "x-position", "content-location"];
/// Larger answers are not kept; a repeat then runs the handler again, which gets its first result from the store.
const LARGEST_KEPT: usize = 256 * 1024;

/// Makes keyed POST requests act once; everything else passes.
pub(crate) async fn idempotency(State(web): State<Web>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    match IdempotencyKey::of(request.headers()) {
        Ok(None) => next.run(request).await,
        Ok(Some(key)) => keyed(&web, key, request, next).await.unwrap_or_else(IntoResponse::into_response),
        Err(problem) => problem.into_response(),
    }
}

async fn keyed(web: &Web, key: IdempotencyKey, request: Request, next: Next) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let body = read_body(Request::from_parts(parts.clone(), body), web.options().body_ceiling).await?;
    let mut request = Request::from_parts(parts, Body::from(body.clone()));
    let user = request.extensions().get::<Identity>().and_then(Identity::principal).map(|user| user.user_id);
    let id = command_id(user.map(|user| user.to_string()), request.uri().path(), &key);
    let fingerprint = fingerprint(request.uri().query(), &body);
    let _claim = web.in_flight().claim(id, &fingerprint).map_err(|taken| match taken {
        Taken::Same => Problem::request_in_progress(),
        Taken::Other => Problem::idempotency_key_reused(),
    })?;
    let record = web.application().events().find_command(id).await?;
    let is_repeat = record.is_some();
    if let Some(record) = record {
        if record.fingerprint.as_ref() != Some(&fingerprint) {
            return Err(Problem::idempotency_key_reused());
        }
        if let Some(response) = kept(record) {
            return Ok(response);
        }
    }
    request.extensions_mut().insert(Recognised { id, fingerprint, key });
    let response = next.run(request).await;
    Ok(answered(web, id, response, is_repeat, user.is_some()).await)
}

fn command_id(user: Option<String>, path: &str, key: &IdempotencyKey) -> CommandId {
    // A user's id is a UUID, so no user can be called this.
    let user = user.unwrap_or_else(|| "anonymous".to_owned());
    CommandId::derived(&["http", &user, "POST", path, key.as_str()])
}

/// The first answer again. One that cannot be read any more counts as not kept.
fn kept(record: CommandRecord) -> Option<Response> {
    let stored = record.response?;
    let mut response = Response::new(Body::from(stored.body));
    *response.status_mut() = StatusCode::from_u16(stored.status).ok()?;
    for (name, value) in stored.headers {
        let (name, value) = (name.parse::<HeaderName>(), HeaderValue::from_str(&value));
        if let (Ok(name), Ok(value)) = (name, value) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Some(response)
}

/// Keeps a success for repeats. When that fails the answer stays what it is: the command is done.
async fn answered(web: &Web, id: CommandId, response: Response, is_repeat: bool, keeps: bool) -> Response {
    if !response.status().is_success() {
        return response;
    }
    let mut response = if keeps { keep(web, id, response).await } else { response };
    if is_repeat {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

async fn keep(web: &Web, id: CommandId, response: Response) -> Response {
    let size = axum::body::HttpBody::size_hint(response.body()).upper();
    if size.is_none_or(|size| size > LARGEST_KEPT as u64) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, LARGEST_KEPT).await else {
        return Problem::internal().into_response();
    };
    let header =
        |name: &&str| Some(((*name).to_owned(), parts.headers.get(*name)?.to_str().ok()?.to_owned()));
    let headers = KEPT_HEADERS.iter().filter_map(header).collect();
    let stored = StoredResponse { status: parts.status.as_u16(), headers, body: bytes.clone() };
    if let Err(error) = web.application().events().save_response(id, stored).await {
        tracing::warn!(error = chain(&error), "an answer could not be kept for repeats");
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(bytes))
}
