//! The answer to a form that was carried out: look at another page, which then shows what was done.

use super::SetCookie;
use crate::Versioned;
use crate::principal::cookie_token;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, IntoResponseParts, Response, ResponseParts};
use composable_rust_core::Position;
use form_urlencoded::byte_serialize;
use std::convert::Infallible;
use std::time::Duration;

const FLASH: &str = "flash";
const POSITION: &str = "position";
/// For the next page and not for those that are opened later.
const A_MOMENT: Duration = Duration::from_secs(10);
/// Longest message, in characters: a cookie has room for so many of any script.
const LONGEST: usize = 200;

/// 303 See Other: reloading the page that follows does not send the form again.
///
/// ```
/// use composable_rust_web::SeeOther;
/// # use composable_rust_web::Versioned;
/// fn done(receipt: &impl Versioned) -> SeeOther {
///     SeeOther::to("/orders").after(receipt).saying("The order is cancelled.")
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeeOther {
    location: String,
    cookies: Vec<SetCookie>,
}

impl SeeOther {
    /// The page that follows: a path of this site. Whatever could lead elsewhere leads to `/`.
    pub fn to(location: impl Into<String>) -> Self {
        let location = location.into();
        let is_ours = location.starts_with('/')
            && !location.starts_with("//")
            && location.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
        Self { location: if is_ours { location } else { "/".to_owned() }, cookies: Vec::new() }
    }

    /// The lists of the page that follows show at least what was written: they wait for its position, as for
    /// `X-Min-Position`.
    #[must_use]
    pub fn after(mut self, written: &impl Versioned) -> Self {
        let position = written.position().map(|position| position.to_string());
        self.cookies.extend(position.map(|position| SetCookie::new(POSITION, position, A_MOMENT)));
        self
    }

    /// The page that follows says this, once; see [`Flash`]. Longer texts are cut at 200 characters.
    #[must_use]
    pub fn saying(mut self, message: &str) -> Self {
        let message: String = message.chars().take(LONGEST).collect();
        let value: String = byte_serialize(message.as_bytes()).collect();
        self.cookies.push(SetCookie::new(FLASH, value, A_MOMENT));
        self
    }

    /// Sets a cookie besides.
    #[must_use]
    pub fn with(mut self, cookie: SetCookie) -> Self {
        self.cookies.push(cookie);
        self
    }
}

impl IntoResponse for SeeOther {
    fn into_response(self) -> Response {
        let mut response = StatusCode::SEE_OTHER.into_response();
        if let Ok(location) = HeaderValue::try_from(self.location) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        self.cookies.iter().for_each(|cookie| cookie.append_to(response.headers_mut()));
        response
    }
}

/// The message for this page, if the one before left one. Answer with it too, so that it is not said again. It comes back
/// from the browser: show it as text.
///
/// ```
/// use axum::response::{Html, IntoResponse};
/// use composable_rust_web::Flash;
/// async fn page(flash: Flash) -> impl IntoResponse {
///     let said = flash.text().unwrap_or_default().replace('<', "&lt;");
///     (flash, Html(format!("<p>{said}</p>")))
/// }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flash(Option<String>);

impl Flash {
    /// What it says.
    pub fn text(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Flash {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let value = cookie_token(&parts.headers, FLASH).map(|value| format!("m={value}"));
        let pair = value.as_ref().and_then(|value| form_urlencoded::parse(value.as_bytes()).next());
        Ok(Self(pair.map(|(_, message)| message.chars().take(LONGEST).collect())))
    }
}

impl IntoResponseParts for Flash {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        if self.0.is_some() {
            SetCookie::remove(FLASH).append_to(parts.headers_mut());
        }
        Ok(parts)
    }
}

/// The position that the page before has written, in the cookie of [`SeeOther::after`].
pub(crate) fn position_seen(headers: &HeaderMap) -> Option<Position> {
    let number: u64 = cookie_token(headers, POSITION)?.parse().ok()?;
    Position::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_that_follows_is_one_of_this_site() {
        for (asked, given) in [
            ("/orders?page=2", "/orders?page=2"),
            ("https://evil.example/", "/"),
            ("//evil.example/", "/"),
            ("/\\evil.example", "/"),
            ("/a\r\nset-cookie: a=b", "/"),
            ("javascript:alert(1)", "/"),
            ("", "/"),
        ] {
            let response = SeeOther::to(asked).into_response();
            assert_eq!(
                (response.status(), &response.headers()["location"]),
                (StatusCode::SEE_OTHER, &HeaderValue::from_static(given)),
                "{asked}"
            );
        }
    }

    #[tokio::test]
    async fn a_message_comes_back_as_it_was_said() {
        for said in ["Done; \"all\" of it, 100 % \u{1f3b6}", "<b>&amp;</b>", "a=b; c"] {
            let answer = SeeOther::to("/").saying(said).into_response();
            let cookie =
                answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
            let request = axum::http::Request::builder().header("cookie", cookie).body(()).unwrap();
            let flash = Flash::from_request_parts(&mut request.into_parts().0, &()).await.unwrap();
            assert_eq!(flash.text(), Some(said));
        }
    }
}
