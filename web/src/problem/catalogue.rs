//! The problems that every application has, each with its one status and code.
//!
//! Codes of a domain come from its rejections; nothing here knows one.

use super::Problem;
use axum::http::{HeaderValue, StatusCode, header};
use composable_rust_core::StreamVersion;
use composable_rust_runtime::{Expectation, OverLimit};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What is wrong with one field of a request's body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Where, as a JSON pointer (RFC 6901); empty means the whole body.
    pub pointer: String,
    /// The stable name of what is wrong, for example `required`.
    pub code: Cow<'static, str>,
    /// A sentence for people.
    pub detail: Cow<'static, str>,
}

impl Problem {
    /// 400 `malformed_request`: the body is not JSON, not UTF-8, or did not come whole; or no aggregate can have the key
    /// that was given.
    pub fn malformed_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed_request", detail)
    }

    /// 400 `invalid_parameter`: a part of the path, the query or a header does not read as it should.
    pub fn invalid_parameter(name: &str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_parameter", detail).with("parameter", name)
    }

    /// 400 `idempotency_key_missing`.
    pub fn idempotency_key_missing() -> Self {
        let detail = "this request needs an Idempotency-Key header, so that a repeat does not act twice";
        Self::new(StatusCode::BAD_REQUEST, "idempotency_key_missing", detail)
    }

    /// 401 `unauthenticated`; `invalid_token` when a credential was given and is not valid.
    pub fn unauthenticated(invalid_token: bool) -> Self {
        let (detail, challenge) = if invalid_token {
            ("the credential is not valid, or no longer", r#"Bearer error="invalid_token""#)
        } else {
            ("sign in first: this request needs a bearer token", "Bearer")
        };
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
            .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
    }

    /// 403 `forbidden`.
    pub fn forbidden(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// 404 `not_found`.
    pub fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// 409 with a code of the domain.
    pub fn conflict(code: impl Into<Cow<'static, str>>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 409 `request_in_progress`: the first request with this idempotency key is still running.
    pub fn request_in_progress() -> Self {
        let detail = "the first request with this Idempotency-Key is still running";
        Self::conflict("request_in_progress", detail).retry_after(1)
    }

    /// 409 `answer_not_kept`: a keyed request was carried out, and its answer was too large to keep for repeats.
    pub fn answer_not_kept(first_status: u16) -> Self {
        let detail =
            "this was done at the first request, whose answer was too large to keep; read what it made";
        Self::conflict("answer_not_kept", detail).with("first_status", first_status)
    }

    /// 412 `version_mismatch`: somebody else changed it.
    pub fn version_mismatch(expected: &Expectation, actual: StreamVersion) -> Self {
        let detail = "it was changed in the meantime; read it again and decide again";
        let problem = Self::new(StatusCode::PRECONDITION_FAILED, "version_mismatch", detail)
            .with("actual_version", actual.get())
            .with("retry_strategy", "reload");
        // Always a number where it is there: several versions, or a tag that names none, are not told.
        match expected.exact() {
            Some(version) => problem.with("expected_version", version.get()),
            None => problem,
        }
    }

    /// 413 `body_too_large`.
    pub fn body_too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "the body is larger than this route takes")
    }

    /// 413 `command_too_large`: what was asked for leads to more events or bytes than one command may write.
    pub fn command_too_large(over: &OverLimit) -> Self {
        let (asked, limit, unit) = over.measured();
        let detail = "this asks for more than can be done at once; ask for less";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "command_too_large", detail)
            .with("actual", asked)
            .with("limit", limit)
            .with("unit", unit)
    }

    /// 415 `unsupported_media_type`.
    pub fn unsupported_media_type() -> Self {
        let detail = "send the body as application/json, without a content coding";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
    }

    /// 422 `validation_failed`, or `unknown_field` when one of the errors is that.
    pub fn validation_failed(errors: Vec<FieldError>) -> Self {
        let unknown = errors.iter().any(|error| error.code == "unknown_field");
        let (code, detail) = if unknown {
            ("unknown_field", "the body has fields that are not known here")
        } else {
            ("validation_failed", "the body is not as it should be; see errors")
        };
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail).with_errors(errors)
    }

    /// 422 `idempotency_key_reused`.
    pub fn idempotency_key_reused() -> Self {
        let detail = "this Idempotency-Key was used for another request; use a fresh one";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", detail)
    }

    /// 422 `idempotency_key_reused`, for a repeat of the same request that its handler takes for another one: a defect
    /// of the handler, and a fresh key would make it act twice.
    pub(crate) fn repeat_differs() -> Self {
        let detail = "this same request was carried out before, and its repeat addressed something else; a fresh key would \
                      carry it out once more. The handler must make ids with `new_id` of its CommandRequest";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", detail)
    }

    /// 428 `if_match_missing`.
    pub fn if_match_missing() -> Self {
        let detail = "say with If-Match which version you change: the ETag of your last read";
        Self::new(StatusCode::PRECONDITION_REQUIRED, "if_match_missing", detail)
    }

    /// 500 `internal`; says nothing of the cause, which belongs in the log.
    pub fn internal() -> Self {
        let detail = "something went wrong here; quote the request_id when you ask about it";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    /// 503 `overloaded`, to be tried again after a second.
    pub fn overloaded() -> Self {
        let detail = "too much is going on at the moment; try again shortly";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail).retry_after(1)
    }

    /// 503 `draining`: this instance is shutting down.
    pub fn draining() -> Self {
        let detail = "this instance is shutting down; try again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "draining", detail)
            .retry_after(1)
            .with_header(header::CONNECTION, HeaderValue::from_static("close"))
    }

    /// 503 `view_behind`: a view did not reach the position asked for in time.
    pub fn view_behind() -> Self {
        let detail = "the view has not reached X-Min-Position yet; try again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "view_behind", detail).retry_after(1)
    }

    /// The problem of a bare status, for answers that other code made without saying more.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::BAD_REQUEST => Self::malformed_request("the request cannot be understood"),
            StatusCode::UNAUTHORIZED => Self::unauthenticated(false),
            StatusCode::FORBIDDEN => Self::forbidden("this is not allowed"),
            StatusCode::NOT_FOUND => Self::not_found("there is nothing here"),
            StatusCode::METHOD_NOT_ALLOWED => {
                Self::new(status, "method_not_allowed", "this address does not take this method; see Allow")
            }
            StatusCode::PAYLOAD_TOO_LARGE => Self::body_too_large(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::unsupported_media_type(),
            StatusCode::UNPROCESSABLE_ENTITY => Self::validation_failed(Vec::new()),
            StatusCode::TOO_MANY_REQUESTS => {
                Self::new(status, "rate_limited", "too many requests; slow down")
            }
            StatusCode::SERVICE_UNAVAILABLE => Self::overloaded(),
            StatusCode::INTERNAL_SERVER_ERROR => Self::internal(),
            other => {
                let reason = other.canonical_reason().unwrap_or("unknown");
                Self::new(other, reason.to_ascii_lowercase().replace([' ', '-'], "_"), reason)
            }
        }
    }
}
