//! The key as the client writes it.

use crate::Problem;
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;

const LONGEST: usize = 200;
/// Where a form brings it: no page can make a browser send a header without a script.
const FIELD: &str = "idempotency_key";

/// `Idempotency-Key`: 1 to 200 visible ASCII characters, quoted (a structured field string) or bare.
///
/// Missing is 400 `idempotency_key_missing`; take `Option<IdempotencyKey>` where it may be left out. Handlers rather
/// take a [`CommandRequest`](crate::CommandRequest) or a [`KeyedRequest`](crate::KeyedRequest).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The key without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key in the field `idempotency_key` of a form, if it has one.
    ///
    /// # Errors
    /// 400 `invalid_parameter` when it has other characters.
    pub(crate) fn in_form(body: &[u8]) -> Result<Option<Self>, Problem> {
        let key = form_urlencoded::parse(body).find(|(name, _)| name == FIELD).map(|(_, key)| key);
        key.map(|key| Self::checked(&key).ok_or_else(wrong)).transpose()
    }

    /// The key of a request, if it has one.
    ///
    /// # Errors
    /// 400 `invalid_parameter` when there are two or it has other characters.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let mut values = headers.get_all("idempotency-key").iter();
        let Some(value) = values.next() else { return Ok(None) };
        let text = value.to_str().ok().filter(|_| values.next().is_none());
        let bare = text.map(|text| {
            let text = text.trim();
            text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text)
        });
        bare.and_then(Self::checked).map(Some).ok_or_else(wrong)
    }

    fn checked(key: &str) -> Option<Self> {
        let fits = (1..=LONGEST).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
        fits.then(|| Self(key.to_owned()))
    }
}

fn wrong() -> Problem {
    let detail = "Idempotency-Key has 1 to 200 visible ASCII characters, in quotes or bare";
    Problem::invalid_parameter("Idempotency-Key", detail)
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::of(&parts.headers)?.ok_or_else(Problem::idempotency_key_missing)
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        Self::of(&parts.headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> Result<Option<String>, String> {
        let mut headers = HeaderMap::new();
        headers.insert("idempotency-key", value.parse().unwrap());
        IdempotencyKey::of(&headers).map(|key| key.map(|key| key.0)).map_err(|p| p.code().to_owned())
    }

    #[test]
    fn a_key_is_taken_quoted_and_bare() {
        assert_eq!(of("abc-1"), Ok(Some("abc-1".into())));
        assert_eq!(of("\"abc-1\""), Ok(Some("abc-1".into())));
        assert_eq!(of(&"k".repeat(200)), Ok(Some("k".repeat(200))));
        for wrong in ["", "\"\"", "a b", "caf\u{e9}", &"k".repeat(201)] {
            assert_eq!(of(wrong), Err("invalid_parameter".into()), "{wrong}");
        }
    }
}
