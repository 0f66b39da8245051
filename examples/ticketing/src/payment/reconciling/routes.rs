//! `/api/reconciliation`: what the last look at both books has found, for admins.

use super::{Reconciliation, Report};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use composable_rust::prelude::*;
use composable_rust::web::{Routes, get};

/// The routes of this slice.
pub fn routes() -> Routes {
    Routes::new().route(
        "/api/reconciliation",
        get(report)
            .about("What differs between the gateway's books and ours")
            .refuses(StatusCode::FORBIDDEN, &["forbidden"]),
    )
}

async fn report(State(app): State<Application>, principal: Principal) -> Result<Json<Report>, Problem> {
    principal.require_role("admin")?;
    let reconciliation = app.get::<Reconciliation>().ok_or_else(Problem::internal)?;
    Ok(Json(reconciliation.report()))
}
