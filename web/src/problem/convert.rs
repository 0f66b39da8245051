//! Which failure becomes which problem. The whole cause goes to the log, never to the client.

use super::{FieldError, Problem};
use axum::http::StatusCode;
use composable_rust_core::port::StoreError;
use composable_rust_core::{Rejection, RejectionKind, describe};
use composable_rust_runtime::{AnyRejection, Behind, ExecuteError, ViewError};
use serde_json::{Map, Value};
use std::any::Any;
use std::error::Error;

impl<R: Rejection> From<ExecuteError<R>> for Problem {
    fn from(error: ExecuteError<R>) -> Self {
        match error {
            ExecuteError::Rejected(rejection) => Self::rejection(&rejection),
            ExecuteError::Version { expected, actual, .. } => Self::version_mismatch(&expected, actual),
            ExecuteError::KeyReused => Self::idempotency_key_reused(),
            ExecuteError::Overloaded => Self::overloaded(),
            ExecuteError::Draining => Self::draining(),
            ExecuteError::Store(error) => error.into(),
            ExecuteError::Invalid(reason) => Self::malformed_request(reason),
            ExecuteError::TooLarge(over) => {
                // The client asked for much, or a decider runs away: the log tells which.
                tracing::warn!(error = describe(&over), "a command was over its limit");
                Self::command_too_large(&over)
            }
            ExecuteError::TimerGone
            | ExecuteError::UnknownDecider { .. }
            | ExecuteError::Defect(_)
            | ExecuteError::Decode(_)
            | ExecuteError::Encode(_) => Self::defect(&error),
            _ => Self::internal(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if error.is_transient() {
            tracing::warn!(error = describe(&error), "the store cannot serve a request");
            let (detail, seconds) = if matches!(error, StoreError::Full { .. }) {
                (
                    "the store is full: nothing was written, and nothing can be until its operator has made room",
                    60,
                )
            } else {
                ("the store does not answer; try again shortly", 1)
            };
            Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail).retry_after(seconds)
        } else {
            Self::defect(&error)
        }
    }
}

impl From<Behind> for Problem {
    fn from(_: Behind) -> Self {
        Self::view_behind()
    }
}

impl From<ViewError> for Problem {
    fn from(error: ViewError) -> Self {
        match error {
            ViewError::Behind(behind) => behind.into(),
            ViewError::Rebuilding { .. } | ViewError::NotBuilt { .. } => {
                let detail = "the view is being built; try again shortly";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "view_behind", detail).retry_after(5)
            }
            ViewError::Store(error) => error.into(),
            ViewError::Row { .. } => Self::defect(&error),
            _ => Self::internal(),
        }
    }
}

impl Problem {
    /// A domain's refusal: its code, its text, its kind as the status and its fields as members. A field `errors` that
    /// lists `{pointer, code, detail}` becomes the problem's own.
    pub fn rejection<R: Rejection>(rejection: &R) -> Self {
        let (fields, kind) = match (rejection as &dyn Any).downcast_ref::<AnyRejection>() {
            Some(any) => (any.details.clone(), any.kind),
            None => (serde_json::to_value(rejection).unwrap_or_default(), rejection.kind()),
        };
        let mut problem = Self::new(status_of(kind), rejection.code().to_owned(), rejection.to_string());
        problem.0.extra = members(fields);
        problem.0.errors = errors_among(&mut problem.0.extra);
        problem
    }

    /// 500 `internal` for what should not have happened; the cause is logged with its whole chain.
    pub fn defect(error: &(dyn Error + 'static)) -> Self {
        tracing::error!(error = describe(error), "a request failed");
        Self::internal()
    }
}

const fn status_of(kind: RejectionKind) -> StatusCode {
    match kind {
        RejectionKind::Conflict => StatusCode::CONFLICT,
        RejectionKind::NotFound => StatusCode::NOT_FOUND,
        RejectionKind::Forbidden => StatusCode::FORBIDDEN,
        RejectionKind::Gone => StatusCode::GONE,
        RejectionKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// The fields of a refusal: those of a struct, or those of an enum's variant (`{"NoSeats": {"available": 3}}`, which
/// is known by the capital letter of its only name).
fn members(value: Value) -> Map<String, Value> {
    let Value::Object(fields) = value else { return Map::new() };
    let is_variant = fields.len() == 1
        && fields
            .iter()
            .all(|(name, value)| name.starts_with(|c: char| c.is_ascii_uppercase()) && value.is_object());
    match fields.values().next() {
        Some(Value::Object(inner)) if is_variant => inner.clone(),
        Some(_) | None => fields,
    }
}

/// The errors of a body that a domain has found; a field of that name with other content stays a member.
fn errors_among(members: &mut Map<String, Value>) -> Vec<FieldError> {
    let errors = members.get("errors").map(|errors| serde_json::from_value(errors.clone()));
    let Some(Ok(errors)) = errors else { return Vec::new() };
    members.remove("errors");
    errors
}
