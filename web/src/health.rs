//! Whether this instance lives, can serve, and how each of its parts does.
//!
//! `/livez` looks at the process alone, so that a broken database does not get every instance restarted; `/readyz`
//! shows the parts without which nothing can be served, and says no while draining; `/health` shows all. The parts are
//! asked by [`Application::health`](composable_rust_runtime::Application::health).

use crate::{Endpoint, Operation, Routes, Web, get};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use composable_rust_runtime::{ComponentHealth, ComponentStatus};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Debug, Serialize, JsonSchema)]
struct Component {
    #[schemars(extend("enum" = ["healthy", "degraded", "unhealthy"]))]
    status: &'static str,
    duration_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Health {
    #[schemars(extend("enum" = ["healthy", "degraded", "unhealthy"]))]
    status: &'static str,
    components: BTreeMap<String, Component>,
}

/// `/livez`, `/readyz`, `/health` and their aliases.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .route("/livez", probe(get(live).about("Whether the process lives")))
        .route("/health/live", probe(get(live).about("Whether the process lives")))
        .route("/readyz", probe(get(ready).about("Whether it can serve")))
        .route("/health/ready", probe(get(ready).about("Whether it can serve")))
        .route("/ready", probe(get(ready).about("Whether it can serve")))
        .route("/health", probe(get(health).about("How each part is")))
}

fn probe(endpoint: Endpoint) -> Endpoint {
    let endpoint = endpoint.said(Operation::stands_alone).answers::<Health>();
    endpoint.succeeds(StatusCode::OK).succeeds(StatusCode::SERVICE_UNAVAILABLE)
}

async fn live() -> Response {
    answer(Vec::new())
}

async fn ready(Extension(web): Extension<Web>) -> Response {
    let mut parts = web.application().health().await;
    parts.retain(|part| part.critical);
    if web.is_draining() {
        parts.push(ComponentHealth {
            name: "intake".to_owned(),
            status: ComponentStatus::Unhealthy,
            critical: true,
            duration: std::time::Duration::ZERO,
            detail: Some("this instance is shutting down".to_owned()),
        });
    }
    answer(parts)
}

async fn health(Extension(web): Extension<Web>) -> Response {
    answer(web.application().health().await)
}

fn answer(parts: Vec<ComponentHealth>) -> Response {
    let status = parts.iter().map(weight).max().unwrap_or(ComponentStatus::Healthy);
    let code =
        if status == ComponentStatus::Unhealthy { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let components = parts.into_iter().map(shown).collect();
    (code, Json(Health { status: word(status), components })).into_response()
}

/// What a part makes of the whole: one that others can do without only degrades it.
fn weight(part: &ComponentHealth) -> ComponentStatus {
    if part.critical { part.status } else { part.status.min(ComponentStatus::Degraded) }
}

fn shown(part: ComponentHealth) -> (String, Component) {
    let duration_ms = u64::try_from(part.duration.as_millis()).unwrap_or(u64::MAX);
    (part.name, Component { status: word(part.status), duration_ms, detail: part.detail })
}

const fn word(status: ComponentStatus) -> &'static str {
    match status {
        ComponentStatus::Healthy => "healthy",
        ComponentStatus::Degraded => "degraded",
        ComponentStatus::Unhealthy => "unhealthy",
    }
}
