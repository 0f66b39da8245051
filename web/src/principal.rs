//! Who asks: the port behind which an application knows its users, and the extractors that handlers use.
//!
//! How somebody proves who he is (sessions, links, keys) is not here.

use crate::{Problem, Web};
use async_trait::async_trait;
use axum::extract::{FromRequestParts, OptionalFromRequestParts, Request};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::request::Parts;
use composable_rust_core::UserId;
use composable_rust_runtime::Application;
use std::fmt;

/// Who asks.
///
/// As an extractor it refuses with 401 `unauthenticated`; take `Option<Principal>` where anybody may ask. A bearer
/// token that is not valid is refused in both cases; handlers that ask for neither do not look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The account.
    pub user_id: UserId,
    /// Its address, where it has one.
    pub email: Option<String>,
    /// Its roles, such as `admin`.
    pub roles: Vec<String>,
}

impl Principal {
    /// Whether it has `role`.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|own| own == role)
    }

    /// Asks for `role`.
    ///
    /// # Errors
    /// 403 `forbidden` without it.
    pub fn require_role(&self, role: &str) -> Result<(), Problem> {
        if self.has_role(role) {
            Ok(())
        } else {
            Err(Problem::forbidden(format!("this needs the role {role}")))
        }
    }
}

/// Knows whose credential a token is.
#[async_trait]
pub trait Authenticator: fmt::Debug + Send + Sync {
    /// The principal of `token`; `None` when it is not valid, or no longer.
    ///
    /// # Errors
    /// A [`Problem`] when it cannot be said now, such as 503 while a store does not answer.
    ///
    /// # Cancel safety
    /// It should only read: the future is dropped when the request's time is up or its client is gone.
    async fn authenticate(&self, app: &Application, token: &str) -> Result<Option<Principal>, Problem>;

    /// The cookie that carries the token of a page's user, if there is one. It counts for writes only when the request
    /// comes from this site.
    fn cookie(&self) -> Option<&str> {
        None
    }
}

/// What is known of the one who asks.
#[derive(Debug, Clone)]
pub(crate) enum Identity {
    Anonymous,
    Known(Principal),
    /// A credential that is not valid, or that could not be checked.
    Refused(Problem),
}

impl Identity {
    /// Whose the credential of a request is, if it has one.
    pub(crate) async fn of(web: &Web, credential: Option<Credential>) -> Self {
        let (Some(authenticator), Some(credential)) = (web.authenticator(), credential) else {
            return Self::Anonymous;
        };
        match authenticator.authenticate(web.application(), &credential.token).await {
            Ok(Some(principal)) => Self::Known(principal),
            // A browser keeps sending a cookie that has expired; that is not an attempt to act under it.
            Ok(None) if credential.is_cookie => Self::Anonymous,
            Ok(None) => Self::Refused(Problem::unauthenticated(true)),
            Err(problem) => Self::Refused(problem),
        }
    }

    pub(crate) fn principal(&self) -> Option<&Principal> {
        match self {
            Self::Known(principal) => Some(principal),
            Self::Anonymous | Self::Refused(_) => None,
        }
    }
}

/// What a request brings to prove who asks.
pub(crate) struct Credential {
    token: String,
    is_cookie: bool,
}

impl Credential {
    /// A bearer token.
    pub(crate) fn bearer(token: String) -> Self {
        Self { token, is_cookie: false }
    }

    /// A bearer token, or else the cookie called `cookie`.
    pub(crate) fn of(request: &Request, cookie: Option<&str>) -> Option<Self> {
        if let Some(token) = bearer(request.headers()) {
            return Some(Self::bearer(token.to_owned()));
        }
        let token = cookie_token(request.headers(), cookie?)?;
        Some(Self { token: token.to_owned(), is_cookie: true })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let known = <Self as OptionalFromRequestParts<S>>::from_request_parts(parts, state).await?;
        known.ok_or_else(|| Problem::unauthenticated(false))
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        match parts.extensions.get::<Identity>() {
            Some(Identity::Known(principal)) => Ok(Some(principal.clone())),
            Some(Identity::Refused(problem)) => Err(problem.clone()),
            Some(Identity::Anonymous) | None => Ok(None),
        }
    }
}

/// The bearer token of a request.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The token in the cookie called `name`. Whether it may act is decided before (`layer/csrf.rs`).
pub(crate) fn cookie_token<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies.flat_map(|line| line.split(';')).find_map(|pair| {
        let (own, value) = pair.trim().split_once('=')?;
        (own == name && !value.is_empty()).then_some(value)
    })
}
