//! `/api/events/{id}/availability`: what is left; and what the organiser changes about it.

mod live;
mod places;

pub use live::LiveAvailability;

use super::views::Availability;
use super::{Inventory, InventoryCommand};
use crate::shared::{Places, SeatId, SectionId, ShowId};
use crate::show::{Section, ShowCommand, event_to_manage, event_to_see};
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use composable_rust::prelude::*;
use composable_rust::web::{
    EventStream, Follow, PathIds, Routes, ViewAnswer, ViewAnswers, body_limit, get, post,
};
use live::{Detail, OfEvent};
use places::{AvailabilityBody, SectionBody, places_of};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeSet;

/// Largest change, in bytes: ten thousand seats by their ids.
const LARGEST_CHANGE: usize = 512 * 1024;
/// Most seats in the answer to a change, which is kept for repeats.
const MOST_TOLD: u32 = 10_000;
/// Largest answers that are kept, in bytes, all together: six of the largest shows.
const MOST_KEPT: usize = 64 * 1024 * 1024;

/// The answers about places, by show, whether everybody may see it, and whether seats are told.
#[derive(Debug, Clone)]
struct Kept(ViewAnswers<(ShowId, bool, bool)>);

/// The routes of this slice.
pub fn routes() -> Routes {
    Routes::new()
        .route(
            "/api/events/{id}/availability",
            get(availability)
                .about("How many places are free, held, sold and blocked")
                .answers::<AvailabilityBody>(),
        )
        .route("/api/events/{id}/live", get(live).about("The same as it changes, by server-sent events"))
        .route(
            "/api/events/{id}/sections/{section_id}/inventory",
            post(adjust)
                .about("Makes, blocks and gives back places")
                .refuses(StatusCode::CONFLICT, &["seats_unavailable", "sales_closed", "wrong_state"])
                .layer(body_limit(LARGEST_CHANGE)),
        )
        .layer(Extension(Kept(ViewAnswers::keeping(MOST_KEPT))))
}

async fn availability(
    State(app): State<Application>,
    Extension(Kept(answers)): Extension<Kept>,
    principal: Option<Principal>,
    (PathId(id), QueryParams(detail)): (PathId<ShowId>, QueryParams<Detail>),
    min_position: MinPosition,
) -> Result<ViewAnswer, Problem> {
    let with_seats = detail.with_seats();
    let view = min_position.of(app.view::<Availability>());
    // What everybody may see stays so: who gets the kept answer need not be asked who he is.
    if let Some(answer) = answers.kept(&(id, true, with_seats), &view).await? {
        return Ok(answer);
    }
    let show = event_to_see(&app, id, principal.as_ref()).await?;
    let made = async |view| {
        let (position, places) = places_of(&app, &view, (id, &show), with_seats).await?;
        ViewAnswer::new(position, &places)
    };
    answers.get((id, show.state.is_public, with_seats), view, made).await
}

/// [`availability`] as it changes, by server-sent events.
async fn live(
    follow: Follow,
    PathId(id): PathId<ShowId>,
    QueryParams(detail): QueryParams<Detail>,
) -> Result<EventStream, Problem> {
    follow.topic(LiveAvailability, OfEvent { event_id: id, seats: detail.seats }).await
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(extend("anyOf" = [
    { "properties": { "add_capacity": { "type": "integer" } }, "required": ["add_capacity"] },
    { "properties": { "block": { "type": ["integer", "array"] } }, "required": ["block"] },
    { "properties": { "unblock": { "type": ["integer", "array"] } }, "required": ["unblock"] },
]))]
struct Change {
    #[schemars(range(max = 100_000))]
    add_capacity: Option<u32>,
    block: Option<Which>,
    unblock: Option<Which>,
}

/// So many places, or these seats.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "it must be a whole number from 0 to 4,294,967,295, or an array of seat ids")]
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
    let body = SectionBody::new(listed, &inventory.state.counts, MOST_TOLD);
    Ok(Written::ok(&(inventory.version, receipt.position), body))
}
