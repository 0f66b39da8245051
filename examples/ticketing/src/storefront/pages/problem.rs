//! Problems as people read them: what happened, and what to do now.

use super::frame::Frame;
use super::sign_in;
use askama::Template;
use axum::response::{IntoResponse, Response};
use composable_rust::web::{ProblemPages, Refused};

/// The pages of problems. Under `/api` and at the probes programs ask.
#[derive(Debug, Clone, Copy)]
pub struct ErrorPages;

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    frame: &'a Frame,
    status: u16,
    heading: &'a str,
    text: &'a str,
    back: Option<(String, &'static str)>,
    request_id: &'a str,
}

const FOR_PROGRAMS: [&str; 6] = ["/api", "/health", "/livez", "/readyz", "/ready", "/metrics"];

impl ProblemPages for ErrorPages {
    fn page(&self, refused: &Refused<'_>) -> Option<Response> {
        let is_of = |root: &&str| {
            let rest = refused.path.strip_prefix(*root);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '-']))
        };
        if FOR_PROGRAMS.iter().any(is_of) {
            return None;
        }
        if refused.problem.code() == "unauthenticated" {
            return Some(sign_in::first(&next(refused)).into_response());
        }
        let (heading, text) = told(refused);
        // Who is signed in is not looked up again: it may be what failed.
        let frame = Frame::default();
        let page = ProblemPage {
            frame: &frame,
            status: refused.problem.status().as_u16(),
            heading,
            text,
            back: back(refused),
            request_id: refused.request_id,
        };
        frame.shows(&page).ok()
    }
}

/// Where to go on after signing in: a form is not sent again.
fn next(refused: &Refused<'_>) -> String {
    match refused.query.filter(|_| refused.method.is_safe()) {
        Some(query) => format!("{}?{query}", refused.path),
        None => refused.path.to_owned(),
    }
}

/// A heading and what to do; of what only this program says, its own words.
fn told<'a>(refused: &'a Refused<'_>) -> (&'a str, &'a str) {
    match refused.problem.code() {
        "not_found" | "invalid_parameter" => {
            ("There is nothing here", "The page may have moved, or the address has a slip in it.")
        }
        "forbidden" => ("This is not yours", "You are signed in as somebody who may not see or do this."),
        "method_not_allowed" => ("That is not done here", "Go back and use the form of the page."),
        "hold_expired" => (
            "Your hold has ended",
            "The time was over and your places are free again. Nothing was charged. Perhaps they can still be had.",
        ),
        "already_paid" => {
            ("This order is paid", "There is nothing more to do: your tickets are on the page of the order.")
        }
        "payment_in_progress" => (
            "A payment is under way",
            "Wait for its outcome on the page of the order. You are charged once at most.",
        ),
        "request_in_progress" => {
            ("Still working on it", "What you sent first is being carried out. Look again in a moment.")
        }
        "idempotency_key_reused" | "idempotency_key_missing" => (
            "This form was sent before",
            "Go back to its page for a fresh one, so that nothing is done twice.",
        ),
        "rate_limited" => {
            ("A little slower, please", "There were many requests from you. Wait a minute, then try again.")
        }
        "body_too_large" => ("That was too much at once", "Choose less and try again."),
        "overloaded" | "view_behind" | "draining" => {
            ("Very busy at the moment", "Nothing is lost. Try again in a few seconds.")
        }
        "internal" => (
            "Something went wrong here",
            "It is our fault, and it is logged. Try again, or quote the number below when you ask about it.",
        ),
        _ => ("That did not work", refused.problem.detail()),
    }
}

/// The page from which a form came, or whatever can be tried again.
fn back(refused: &Refused<'_>) -> Option<(String, &'static str)> {
    let mut parts = refused.path.split('/').skip(1);
    match (parts.next(), parts.next()) {
        (Some("orders"), Some(id)) if parts.next().is_some() => {
            Some((format!("/orders/{id}"), "To the order"))
        }
        _ if !refused.method.is_safe() => Some((refused.path.to_owned(), "Back to the page")),
        _ if refused.problem.status().is_server_error() || refused.problem.code() == "rate_limited" => {
            Some((refused.path.to_owned(), "Try again"))
        }
        _ => None,
    }
}
