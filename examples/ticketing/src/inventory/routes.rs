//! `/api/events/{id}/availability`: what is left.

use super::SeatState;
use super::views::{Availability, SectionPlaces};
use crate::shared::{Seat, SectionId, ShowId};
use crate::show::{SectionKind, Tier, event_to_see};
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use composable_rust::prelude::*;
use serde::Serialize;

/// Most sections of a show, and so of an answer.
const MOST_SECTIONS: u32 = 1_000;

/// The routes of this slice.
pub fn routes() -> Router<Application> {
    Router::new().route("/api/events/{id}/availability", get(availability))
}

#[derive(Debug, Serialize)]
struct AvailabilityBody {
    event_id: ShowId,
    position: Position,
    sections: Vec<SectionBody>,
}

#[derive(Debug, Serialize)]
struct SectionBody {
    id: SectionId,
    name: String,
    kind: SectionKind,
    capacity: u32,
    free: u32,
    held: u32,
    sold: u32,
    blocked: u32,
    tiers: Vec<Tier>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seats: Option<Vec<SeatBody>>,
}

#[derive(Debug, Serialize)]
struct SeatBody {
    #[serde(flatten)]
    seat: Seat,
    state: SeatState,
}

async fn availability(
    State(app): State<Application>,
    principal: Option<Principal>,
    PathId(id): PathId<ShowId>,
    min_position: MinPosition,
) -> Result<Json<AvailabilityBody>, Problem> {
    event_to_see(&app, id, principal.as_ref()).await?;
    let view = min_position.of(app.view::<Availability>());
    let page = view.query().filter_eq("show", id).order_by("place").page(1, MOST_SECTIONS).fetch().await?;
    let sections = page.items.into_iter().map(SectionBody::from).collect();
    Ok(Json(AvailabilityBody { event_id: id, position: page.position, sections }))
}

impl From<SectionPlaces> for SectionBody {
    fn from(row: SectionPlaces) -> Self {
        let seats = row.listed.seats().zip(row.seats.states());
        let seats = seats.map(|(seat, state)| SeatBody { seat, state }).collect();
        let is_seated = row.listed.kind == SectionKind::Seated;
        let SectionPlaces { section: id, listed, capacity, free, held, sold, blocked, .. } = row;
        Self {
            id,
            name: listed.name,
            kind: listed.kind,
            capacity,
            free,
            held,
            sold,
            blocked,
            tiers: listed.tiers,
            seats: is_seated.then_some(seats),
        }
    }
}
