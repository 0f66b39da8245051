//! Cookies that pages set. They are read where they are needed (`principal.rs`, `see_other.rs`).

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponseParts, ResponseParts};
use std::convert::Infallible;
use std::time::Duration;

/// A part of an answer that sets a cookie: for all paths, out of reach for scripts, not sent by pages of other sites,
/// and where the service is offered by HTTPS only
/// ([`HttpOptions::only_https`](crate::HttpOptions::only_https)), only sent by HTTPS.
///
/// ```
/// use composable_rust_web::SetCookie;
/// use std::time::Duration;
/// async fn sign_in() -> (SetCookie, &'static str) {
///     (SetCookie::new("session", "a-token", Duration::from_hours(7 * 24)), "welcome")
/// }
/// async fn sign_out() -> (SetCookie, &'static str) {
///     (SetCookie::remove("session"), "good bye")
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetCookie {
    name: &'static str,
    value: String,
    lasting: Duration,
}

impl SetCookie {
    /// Keeps `value` for so long, in whole seconds. What a cookie cannot hold (blanks, `"`, `,`, `;`, `\` and all that is
    /// not ASCII) is left out.
    pub fn new(name: &'static str, value: impl Into<String>, lasting: Duration) -> Self {
        let mut value = value.into();
        value.retain(|c| c.is_ascii_graphic() && !matches!(c, '"' | ',' | ';' | '\\'));
        Self { name, value, lasting }
    }

    /// Forgets the cookie.
    pub fn remove(name: &'static str) -> Self {
        Self::new(name, "", Duration::ZERO)
    }

    pub(super) fn append_to(&self, headers: &mut HeaderMap) {
        let Self { name, value, lasting } = self;
        let text = format!("{name}={value}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax", lasting.as_secs());
        if let Ok(text) = HeaderValue::try_from(text) {
            headers.append(header::SET_COOKIE, text);
        }
    }
}

impl IntoResponseParts for SetCookie {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        self.append_to(parts.headers_mut());
        Ok(parts)
    }
}

/// Marks every cookie of an answer as one that is never sent in the clear.
pub(crate) fn only_by_https(headers: &mut HeaderMap) {
    let header::Entry::Occupied(mut cookies) = headers.entry(header::SET_COOKIE) else { return };
    for cookie in cookies.iter_mut() {
        let marked = cookie.to_str().ok().filter(|text| !text.contains("; Secure"));
        if let Some(Ok(marked)) = marked.map(|text| HeaderValue::try_from(format!("{text}; Secure"))) {
            *cookie = marked;
        }
    }
}
