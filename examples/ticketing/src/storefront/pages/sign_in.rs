//! `/sign-in`: in development an e-mail address is believed.

use super::Counter;
use super::frame::Frame;
use crate::account::{COOKIE, SignIn, VALID_FOR};
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use composable_rust::prelude::*;
use composable_rust::web::{FormBody, SeeOther, SetCookie};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    frame: &'a Frame,
    next: &'a str,
    email: &'a str,
    fault: Option<&'static str>,
}

/// Where somebody wanted to go.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct SignInForm {
    email: String,
    #[serde(flatten)]
    next: Next,
}

// What is wrong is told on the page.
impl Validate for SignInForm {}
impl Validate for Next {}

/// Sign in first, then go on there.
pub(super) fn first(next: &str) -> SeeOther {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
    SeeOther::to(format!("/sign-in?{query}"))
}

pub(super) async fn page(
    frame: Frame,
    QueryParams(Next { next }): QueryParams<Next>,
) -> Result<Response, Problem> {
    frame.shows(&SignInPage { frame: &frame, next: &next, email: "", fault: None })
}

pub(super) async fn sign_in(
    State(app): State<Application>,
    Extension(counter): Extension<Counter>,
    frame: Frame,
    FormBody(SignInForm { email, next: Next { next } }): FormBody<SignInForm>,
) -> Result<Response, Problem> {
    let who = SignIn { email };
    let mut findings = Findings::default();
    who.validate(&mut findings);
    if findings.into_result().is_err() {
        let fault = Some("Enter an e-mail address, such as ann@example.org.");
        let page = SignInPage { frame: &frame, next: &next, email: &who.email, fault };
        return frame.shows_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let (token, _) = crate::account::sign_in(&app, &counter.sessions, &who).await?;
    Ok(SeeOther::to(next).with(SetCookie::new(COOKIE, token, VALID_FOR)).into_response())
}

pub(super) async fn sign_out() -> SeeOther {
    SeeOther::to("/").with(SetCookie::remove(COOKIE)).saying("You are signed out.")
}

pub(super) async fn back() -> SeeOther {
    SeeOther::to("/sign-in")
}
