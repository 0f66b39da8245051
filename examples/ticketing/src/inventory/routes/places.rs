//! The places of a show as JSON text. A show may have a hundred thousand seats, so the text is written bit by bit, and
//! between the bits others get their turn.

use crate::inventory::views::{Availability, SectionPlaces, sections_of};
use crate::inventory::{Counts, SeatState, Seats};
use crate::shared::{Seat, SectionId, ShowId};
use crate::show::{Section, SectionKind, Show, Tier};
use composable_rust::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

/// Seats that are written at once: some hundred microseconds.
const AT_ONCE: usize = 1_000;

/// A section as the API shows it.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct SectionBody {
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

/// What [`places_of`] writes bit by bit.
#[derive(Debug, JsonSchema)]
#[expect(dead_code, reason = "it tells the API's description what it reads like; nobody makes one")]
pub(super) struct AvailabilityBody {
    position: Position,
    event_id: ShowId,
    sections: Vec<SectionBody>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SeatBody {
    #[serde(flatten)]
    seat: Seat,
    state: SeatState,
}

impl SectionBody {
    /// A section with its seats, where they are numbered and no more than `most_seats`.
    pub(super) fn new(listed: Section, counts: &Counts, most_seats: u32) -> Self {
        let Counts { capacity, free, held, sold, blocked, ref seats } = *counts;
        let is_told = listed.kind == SectionKind::Seated && capacity <= most_seats;
        let seats = is_told.then(|| seats_of(&listed, seats).collect());
        let Section { id, name, kind, tiers, .. } = listed;
        Self { id, name, kind, capacity, free, held, sold, blocked, tiers, seats }
    }
}

/// The places of a show as a JSON object, and the position that this shows.
///
/// # Errors
/// 503 `view_behind` when the view does not have all sections in time; why it cannot be read.
pub(super) async fn places_of(
    app: &Application,
    view: &View<Availability>,
    (id, show): (ShowId, &Loaded<Show>),
    with_seats: bool,
) -> Result<(Position, String), Problem> {
    let page = sections_of(app, view, (id, show)).await?;
    let mut json = format!("{{\"event_id\":\"{id}\",\"sections\":[").into_bytes();
    for (index, row) in page.items.into_iter().enumerate() {
        if index > 0 {
            json.push(b',');
        }
        write_section(&mut json, row, with_seats).await?;
    }
    json.extend_from_slice(b"]}");
    let text = String::from_utf8(json).map_err(|error| Problem::defect(&error))?;
    Ok((page.position, text))
}

async fn write_section(json: &mut Vec<u8>, row: SectionPlaces, with_seats: bool) -> Result<(), Problem> {
    let SectionPlaces { listed, counts, .. } = row;
    write(json, &SectionBody::new(listed.clone(), &counts, 0))?;
    if listed.kind != SectionKind::Seated || !with_seats {
        return Ok(());
    }
    // Its seats are its last member.
    json.pop();
    json.extend_from_slice(b",\"seats\":[");
    for (index, seat) in seats_of(&listed, &counts.seats).enumerate() {
        if index > 0 {
            json.push(b',');
        }
        write(json, &seat)?;
        if index % AT_ONCE == AT_ONCE - 1 {
            tokio::task::yield_now().await;
        }
    }
    json.extend_from_slice(b"]}");
    Ok(())
}

fn seats_of(listed: &Section, seats: &Seats) -> impl Iterator<Item = SeatBody> {
    listed.seats().zip(seats.states()).map(|(seat, state)| SeatBody { seat, state })
}

fn write(json: &mut Vec<u8>, body: &impl Serialize) -> Result<(), Problem> {
    serde_json::to_writer(json, body).map_err(|error| Problem::defect(&error))
}
