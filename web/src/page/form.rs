//! The body of an HTML form.

use crate::extract::{decode_form, limit_of, read_body};
use crate::{Findings, Problem, Validate};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

/// A validated form (`application/x-www-form-urlencoded`), as a struct or as a list of names and values.
///
/// Fields that `T` does not know are ignored, because buttons and browsers add some. A form with a field
/// `idempotency_key` is carried out once, however often it is sent: it counts as the header `Idempotency-Key`. Give each
/// form that a page shows a new one.
#[derive(Debug, Clone, Copy)]
pub struct FormBody<T>(pub T);

impl<T: DeserializeOwned + Validate, S: Send + Sync> FromRequest<S> for FormBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_form(request.headers()) {
            let detail = "send the form as application/x-www-form-urlencoded";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail));
        }
        let limit = limit_of(&request);
        let body = read_body(request, limit).await?;
        let value: T = decode_form(&body)?;
        let mut findings = Findings::default();
        value.validate(&mut findings);
        findings.into_result().map(|()| Self(value))
    }
}

/// Whether a body is a form.
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}
