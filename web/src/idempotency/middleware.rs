//! Recognises a repeat before the handler runs, and keeps the answer after it.

use super::IdempotencyKey;
use super::answers::{Claim, Taken};
use super::command_request::Recognised;
use super::fingerprint::{fingerprint, stamp_in};
use crate::extract::read_body;
use crate::page::is_form;
use crate::principal::Identity;
use crate::{Problem, Web};
use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use composable_rust_core::port::StoredResponse;
use composable_rust_core::{CommandId, UserId};
use jiff::Timestamp;

const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// What a repeat gets again besides status and body.
const KEPT_HEADERS: [&str; 5] = ["content-type", "etag", "location", "x-position", "content-location"];
/// Largest answer that is kept, in bytes. Of a larger one it is kept that there was one: a repeat is told so, and never
/// gets another answer in its place.
const LARGEST_KEPT: usize = 4 * 1024 * 1024;
/// Stands in place of an answer that was too large; no handler can answer it.
const TOO_LARGE: &str = ":too-large";

/// Makes keyed POST requests act once; everything else passes.
pub(crate) async fn idempotency(State(web): State<Web>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    match key_of(&web, request).await {
        Ok((request, None)) => next.run(request).await,
        Ok((request, Some(key))) => {
            keyed(&web, key, request, next).await.unwrap_or_else(IntoResponse::into_response)
        }
        Err(problem) => problem.into_response(),
    }
}

/// The key in the header, or in the form.
async fn key_of(web: &Web, request: Request) -> Result<(Request, Option<IdempotencyKey>), Problem> {
    let key = IdempotencyKey::of(request.headers())?;
    if key.is_some() || !is_form(request.headers()) {
        return Ok((request, key));
    }
    let (request, body) = buffered(web, request).await?;
    Ok((request, IdempotencyKey::in_form(&body)?))
}

async fn keyed(web: &Web, key: IdempotencyKey, request: Request, next: Next) -> Result<Response, Problem> {
    let (mut request, body) = buffered(web, request).await?;
    let user = request.extensions().get::<Identity>().and_then(Identity::principal).map(|user| user.user_id);
    let digest = fingerprint(request.uri().query(), &body);
    let id = command_id(user, request.uri().path(), &key, &digest);
    let claim = match web.answers().claim(id, &digest) {
        Ok(claim) => claim,
        Err(Taken::Running) => return Err(Problem::request_in_progress()),
        Err(Taken::Other) => return Err(Problem::idempotency_key_reused()),
        Err(Taken::Answered(answer, saved)) => {
            saved.await.ok();
            return again(answer).ok_or_else(Problem::internal);
        }
    };
    let first = first_use(web, id, &digest).await?;
    let (moment, is_new) = match first {
        Some((_, Some(answer))) => return Ok(answer),
        Some((moment, None)) => (moment, false),
        None => (web.application().environment().now(), true),
    };
    request.extensions_mut().insert(Recognised { id, digest: digest.clone(), moment, is_new });
    let mut response = next.run(request).await;
    if is_new && says_key_reused(&response) && first_use(web, id, &digest).await?.is_some() {
        // Another instance was faster with the same request. Asked again, its answer is found.
        return Err(Problem::request_in_progress());
    }
    if !is_new && says_key_reused(&response) {
        tracing::error!(
            "a repeat of the same request under its Idempotency-Key gave its command to another stream, or another \
             command: a handler makes ids with `new_id` of its CommandRequest, which are the same in a repeat, and takes \
             `step` for each further command"
        );
        return Err(Problem::repeat_differs());
    }
    if response.status().is_success() {
        if !is_new {
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        }
        if user.is_some() {
            return Ok(keep(web, claim, response).await);
        }
    }
    Ok(response)
}

/// When the key was used first, and the answer if it was kept.
async fn first_use(
    web: &Web,
    id: CommandId,
    digest: &[u8],
) -> Result<Option<(Timestamp, Option<Response>)>, Problem> {
    let Some(record) = web.application().events().find_command(id).await? else { return Ok(None) };
    let moment = record.fingerprint.as_deref().and_then(|kept| stamp_in(kept, digest));
    let moment = moment.ok_or_else(Problem::idempotency_key_reused)?;
    Ok(Some((moment, record.response.and_then(again))))
}

fn says_key_reused(response: &Response) -> bool {
    let problem = response.extensions().get::<Problem>();
    problem.is_some_and(|problem| problem.code() == Problem::idempotency_key_reused().code())
}

/// The request with its whole body at hand.
async fn buffered(web: &Web, request: Request) -> Result<(Request, Bytes), Problem> {
    let (parts, body) = request.into_parts();
    let mut sized = Request::new(body);
    if let Some(length) = parts.headers.get(header::CONTENT_LENGTH) {
        sized.headers_mut().insert(header::CONTENT_LENGTH, length.clone());
    }
    let body = read_body(sized, web.options().body_ceiling).await?;
    Ok((Request::from_parts(parts, Body::from(body.clone())), body))
}

/// Strangers may choose the same key, so to them another body is another request.
fn command_id(user: Option<UserId>, path: &str, key: &IdempotencyKey, digest: &[u8]) -> CommandId {
    match user {
        Some(user) => CommandId::derived(&["http", &user.to_string(), "POST", path, key.as_str()]),
        // A user's id is a UUID, so no user can be called this.
        None => CommandId::derived(&["http", "anonymous", "POST", path, key.as_str(), &hex(digest)]),
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The first answer again. One that cannot be read any more counts as not kept.
fn again(stored: StoredResponse) -> Option<Response> {
    let StoredResponse { status, headers, body } = stored;
    let mut response = if headers.iter().any(|(name, _)| name == TOO_LARGE) {
        Problem::answer_not_kept(status).into_response()
    } else {
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = StatusCode::from_u16(status).ok()?;
        response
    };
    for (name, value) in headers {
        let (name, value) = (name.parse::<HeaderName>(), HeaderValue::from_str(&value));
        if let (Ok(name), Ok(value)) = (name, value) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Some(response)
}

/// Keeps a success for repeats.
async fn keep(web: &Web, claim: Claim, response: Response) -> Response {
    let is_small = response.body().size_hint().upper().is_some_and(|size| size <= LARGEST_KEPT as u64);
    let (parts, body) = response.into_parts();
    let header =
        |name: &&str| Some(((*name).to_owned(), parts.headers.get(*name)?.to_str().ok()?.to_owned()));
    let mut headers: Vec<_> = KEPT_HEADERS.iter().filter_map(header).collect();
    let (kept, body) = if is_small {
        let Ok(body) = axum::body::to_bytes(body, LARGEST_KEPT).await else {
            return Problem::internal().into_response();
        };
        (body.clone(), Body::from(body))
    } else {
        // What it says of itself is not said of the problem that a repeat gets.
        headers.retain(|(name, _)| name != header::CONTENT_TYPE.as_str());
        headers.push((TOO_LARGE.to_owned(), String::new()));
        (Bytes::new(), body)
    };
    let app = web.application();
    let stored = StoredResponse { status: parts.status.as_u16(), headers, body: kept };
    // Once a client has heard it, no crash changes it. Whether it could be saved is told in the log.
    claim.answer(stored, app.events(), app.environment()).await.ok();
    Response::from_parts(parts, body)
}
