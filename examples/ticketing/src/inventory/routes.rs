//! `/api/events/{id}/availability`: what is left; and what the organiser changes about it.

use super::live::{LiveAvailability, OfEvent};
use super::views::Availability;
use super::{Counts, Inventory, InventoryCommand, SeatState};
use crate::shared::{Places, Seat, SeatId, SectionId, ShowId};
use crate::show::{Section, SectionKind, ShowCommand, Tier, event_to_manage, event_to_see};
use axum::Json;
use axum::extract::State;
use composable_rust::prelude::*;
use composable_rust::web::{EventStream, Follow, PathIds, Routes, body_limit, get, post};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Largest change, in bytes: ten thousand seats by their ids.
const LARGEST_CHANGE: usize = 512 * 1024;
/// Most sections of a show, and so of an answer.
const MOST_SECTIONS: u32 = 1_000;

/// The routes of this slice.
pub fn routes() -> Routes {
    Routes::new()
        .route(
            "/api/events/{id}/availability",
            get(availability).about("How many places are free, held, sold and blocked"),
        )
        .route("/api/events/{id}/live", get(live).about("The same as it changes, by server-sent events"))
        .route(
            "/api/events/{id}/sections/{section_id}/inventory",
            post(adjust).about("Makes, blocks and gives back places").layer(body_limit(LARGEST_CHANGE)),
        )
}

#[derive(Debug, Serialize)]
struct AvailabilityBody {
    position: Position,
    #[serde(flatten)]
    places: PlacesBody,
}

/// The places of a show as the API shows them.
#[derive(Debug, Serialize)]
pub(super) struct PlacesBody {
    event_id: ShowId,
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
    let (position, places) = places_of(min_position.of(app.view::<Availability>()), id).await?;
    Ok(Json(AvailabilityBody { position, places }))
}

/// The places of a show, and the position that this shows.
pub(super) async fn places_of(
    view: View<Availability>,
    id: ShowId,
) -> Result<(Position, PlacesBody), Problem> {
    let page = view.query().filter_eq("show", id).order_by("place").page(1, MOST_SECTIONS).fetch().await?;
    let sections = page.items.into_iter().map(|row| SectionBody::new(row.listed, &row.counts)).collect();
    Ok((page.position, PlacesBody { event_id: id, sections }))
}

/// [`availability`] as it changes, by server-sent events.
async fn live(follow: Follow, PathId(id): PathId<ShowId>) -> Result<EventStream, Problem> {
    follow.topic(LiveAvailability, OfEvent { event_id: id }).await
}

#[derive(Debug, Deserialize)]
struct Change {
    add_capacity: Option<u32>,
    block: Option<Which>,
    unblock: Option<Which>,
}

/// So many places, or these seats.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Which {
    Count(u32),
    Seats(Vec<SeatId>),
}

impl Validate for Change {
    fn validate(&self, findings: &mut Findings) {
        if self.add_capacity.is_none() && self.block.is_none() && self.unblock.is_none() {
            findings.add("", "required", "say what to change: add_capacity, block or unblock");
        }
    }
}

impl Which {
    /// The places of this section; each seat is one of it, and named once.
    fn places(which: Option<Self>, field: &str, section: &Section, findings: &mut Findings) -> Places {
        let named = match which {
            Some(Self::Seats(named)) => named,
            Some(Self::Count(quantity)) => return Places { quantity, seats: Vec::new() },
            None => return Places::default(),
        };
        let (mut seats, mut seen) = (Vec::new(), BTreeSet::new());
        for seat in named {
            let place = seat.place_in(section.id).filter(|place| section.seat(*place).is_some());
            match place {
                Some(place) if seen.insert(place) => seats.push(place),
                Some(_) => findings.add(field, "duplicate", "a seat is named twice"),
                None => findings.add(field, "unknown", "the section has no such seat"),
            }
        }
        Places { quantity: u32::try_from(seats.len()).unwrap_or(u32::MAX), seats }
    }
}

/// Changes the section's places; the show is told of new ones in the same append.
async fn adjust(
    State(app): State<Application>,
    principal: Principal,
    command: CommandRequest,
    PathIds(id, section): PathIds<ShowId, SectionId>,
    JsonBody(change): JsonBody<Change>,
) -> Result<Written<SectionBody>, Problem> {
    let show = event_to_manage(&app, id, &principal).await?;
    let mut sections = show.state.listing.into_iter().flat_map(|listing| listing.sections);
    let unknown = || Problem::not_found("the event has no such section");
    let listed = sections.find(|known| known.id == section).ok_or_else(unknown)?;
    let mut findings = Findings::default();
    let unblock = Which::places(change.unblock, "unblock", &listed, &mut findings);
    let block = Which::places(change.block, "block", &listed, &mut findings);
    findings.into_result()?;
    let add = change.add_capacity.unwrap_or(0);
    let grow = (add > 0).then(|| on(id, ShowCommand::AddCapacity { section, quantity: add }));
    let adjust = on(section, InventoryCommand::Adjust { add, unblock, block });
    let commands = (Vec::from_iter(grow), adjust);
    let receipt = app.execute_all(commands).request(command.context()).await?;
    let inventory = app.load::<Inventory>(&section).await?.ok_or_else(unknown)?;
    let body = SectionBody::new(listed, &inventory.state.counts);
    Ok(Written::ok(&(inventory.version, receipt.position), body))
}

impl SectionBody {
    fn new(listed: Section, counts: &Counts) -> Self {
        let Counts { capacity, free, held, sold, blocked, ref seats } = *counts;
        let seats =
            listed.seats().zip(seats.states()).map(|(seat, state)| SeatBody { seat, state }).collect();
        let Section { id, name, kind, tiers, .. } = listed;
        let seats = (kind == SectionKind::Seated).then_some(seats);
        Self { id, name, kind, capacity, free, held, sold, blocked, tiers, seats }
    }
}
