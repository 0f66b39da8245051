//! A page elsewhere must not act with our user's browser.
//!
//! The browser says where a request comes from (`Sec-Fetch-Site`, `Origin`), which no page can forge; so no token is
//! needed in forms. A bearer token is exempt: no browser adds one by itself.

use crate::principal::{Authenticator, bearer, cookie_token};
use crate::{Problem, Web};
use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Refuses with 403 what a foreign page sends, and what comes with our cookie but not provably from our own page.
pub(crate) async fn same_site(State(web): State<Web>, request: Request, next: Next) -> Response {
    let cookie = web.authenticator().and_then(Authenticator::cookie);
    if may_act(request.method(), request.headers(), cookie, &web.options().cors_origins) {
        next.run(request).await
    } else {
        Problem::forbidden("this was sent from a page of another site").into_response()
    }
}

fn may_act(method: &Method, headers: &HeaderMap, cookie: Option<&str>, origins: &[String]) -> bool {
    if method.is_safe() || bearer(headers).is_some() {
        return true;
    }
    let has_cookie = cookie.is_some_and(|name| cookie_token(headers, name).is_some());
    match sender(headers) {
        Sender::OwnPage => true,
        Sender::OtherPage => !has_cookie && is_among(origins, headers),
        Sender::Unknown => !has_cookie,
    }
}

/// Whether a page of another site sent this, whose origin the operator did not name.
pub(crate) fn is_foreign(headers: &HeaderMap, origins: &[String]) -> bool {
    matches!(sender(headers), Sender::OtherPage) && !is_among(origins, headers)
}

enum Sender {
    OwnPage,
    OtherPage,
    /// Not a browser, or a very old one.
    Unknown,
}

fn sender(headers: &HeaderMap) -> Sender {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let is_own = match (headers.get("sec-fetch-site"), text(ORIGIN), text(HOST)) {
        (Some(site), _, _) => site == "same-origin" || site == "none",
        (None, Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, rest)| rest == host),
        (None, Some(_), None) => false,
        (None, None, _) => return Sender::Unknown,
    };
    if is_own { Sender::OwnPage } else { Sender::OtherPage }
}

fn is_among(origins: &[String], headers: &HeaderMap) -> bool {
    headers.get(ORIGIN).is_some_and(|origin| origins.iter().any(|own| origin == own.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    const SHOP: &str = "https://shop.example";

    fn acts(method: &Method, headers: &[(&'static str, &'static str)]) -> bool {
        let header = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        may_act(method, &headers.iter().map(header).collect(), Some("session"), &[SHOP.to_owned()])
    }

    #[test]
    fn a_cookie_acts_only_from_this_site() {
        let cookie = ("cookie", "a=1; session=secret; b=2");
        assert!(acts(&Method::GET, &[cookie, ("sec-fetch-site", "cross-site")]));
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            assert!(!acts(&method, &[cookie]));
            for site in ["cross-site", "same-site", "nonsense"] {
                assert!(!acts(&method, &[cookie, ("sec-fetch-site", site)]));
            }
            for origin in ["http://evil.example", "null", SHOP] {
                assert!(!acts(&method, &[cookie, ("origin", origin), ("host", "ours.example")]));
            }
            assert!(acts(&method, &[cookie, ("sec-fetch-site", "same-origin")]));
            assert!(acts(&method, &[cookie, ("origin", "https://ours.example"), ("host", "ours.example")]));
        }
    }

    #[test]
    fn without_a_cookie_only_foreign_pages_are_refused() {
        assert!(acts(&Method::POST, &[]));
        assert!(!acts(&Method::POST, &[("origin", "http://evil.example"), ("host", "ours.example")]));
        assert!(!acts(&Method::POST, &[("sec-fetch-site", "cross-site")]));
        assert!(acts(&Method::POST, &[("sec-fetch-site", "cross-site"), ("origin", SHOP)]));
        assert!(acts(&Method::POST, &[("sec-fetch-site", "cross-site"), ("authorization", "Bearer t")]));
    }
}
