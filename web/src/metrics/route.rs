//! `/metrics`, in Prometheus' text format, for the roles `admin` and `monitoring`.

use super::recorder::handle;
use super::sampled::sample;
use crate::{Principal, Problem, Routes, get};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use composable_rust_runtime::Application;

const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";
const ROLES: [&str; 2] = ["admin", "monitoring"];
const NEEDED: &str = "this needs a bearer token of somebody with the role admin or monitoring";

pub(crate) fn routes() -> Routes {
    let numbers = get(show)
        .about("Numbers for Prometheus, for the roles admin and monitoring")
        .answers_text("text/plain");
    Routes::new().route("/metrics", numbers.refuses(StatusCode::FORBIDDEN, &["forbidden"]))
}

async fn show(State(app): State<Application>, me: Result<Principal, Problem>) -> Result<Response, Problem> {
    let me = me.map_err(|refused| match refused.status() {
        StatusCode::UNAUTHORIZED => refused.explained(NEEDED),
        _ => refused,
    })?;
    if !ROLES.iter().any(|role| me.has_role(role)) {
        return Err(Problem::forbidden(NEEDED));
    }
    let handle = handle().map_err(|error| {
        tracing::error!(error, "there is no recorder");
        Problem::internal()
    })?;
    sample(&app).await;
    handle.run_upkeep();
    Ok(([(header::CONTENT_TYPE, TEXT_FORMAT)], handle.render()).into_response())
}
