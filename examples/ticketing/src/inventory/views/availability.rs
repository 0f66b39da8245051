//! How many places of each section are free, held, sold and blocked.

use crate::inventory::{Counts, InventoryEvent};
use crate::shared::{SectionId, ShowId};
use crate::show::{MOST_SECTIONS, Section, Show, ShowEvent};
use composable_rust::port::StreamRange;
use composable_rust::prelude::*;
use composable_rust::runtime::ViewPage;
use composable_rust::stream_of;

/// The places of all sections.
#[derive(Debug)]
pub struct Availability;

/// The places of one section.
#[derive(Debug, Clone, PartialEq, Row)]
#[row(key = "section", index = "show, place")]
pub struct SectionPlaces {
    /// Which section.
    pub section: SectionId,
    /// Of which show.
    pub show: ShowId,
    /// Where it stands among the show's sections.
    pub place: u32,
    /// Its name, kind and prices.
    pub listed: Section,
    /// How many places stand how.
    pub counts: Counts,
    /// Whether they are there: those of a draft may still become others.
    pub is_made: bool,
}

/// What changes them.
#[derive(Debug, Clone, PartialEq, Events)]
pub enum PlacesEvent {
    /// Sections are made with their show.
    Show(ShowId, ShowEvent),
    /// Places change.
    Inventory(SectionId, InventoryEvent),
}

/// The sections of a show, in its order, and the position that they show. A view that does not have all of them yet is
/// waited for.
///
/// # Errors
/// 503 `view_behind` when it does not have them in time; why it cannot be read.
///
/// # Cancel safety
/// It only reads.
pub async fn sections_of(
    app: &Application,
    view: &View<Availability>,
    (id, show): (ShowId, &Loaded<Show>),
) -> Result<ViewPage<SectionPlaces>, Problem> {
    let query = |view: &View<Availability>| {
        view.query().filter_eq("show", id).order_by("place").page(1, MOST_SECTIONS)
    };
    let page = query(view).fetch().await?;
    let sections = show.state.listing.iter().map(|listing| listing.sections.len()).sum::<usize>();
    if page.items.len() >= sections {
        return Ok(page);
    }
    let stream = stream_of::<Show>(&id).map_err(|error| Problem::defect(&error))?;
    let newest = app.events().read_stream(&stream, StreamRange::latest(1)).await?;
    let newest = newest.first().map_or(Position::ZERO, |event| event.position);
    Ok(query(&view.at_least_position(newest)).fetch().await?)
}

impl Projection for Availability {
    type Event = PlacesEvent;
    type Row = SectionPlaces;
    const NAME: &'static str = "availability";
    const VERSION: u32 = 3;

    fn project(&self, event: &Recorded<PlacesEvent>, rows: &mut Rows<SectionPlaces>) {
        match &event.body {
            PlacesEvent::Show(show, ShowEvent::Created(listing)) => {
                for (place, section) in (0..).zip(&listing.sections) {
                    rows.put(SectionPlaces::new(*show, place, section.clone()));
                }
            }
            PlacesEvent::Show(show, ShowEvent::Updated(listing)) => {
                for (place, section) in (0..).zip(&listing.sections) {
                    let new = || SectionPlaces::new(*show, place, section.clone());
                    rows.upsert(section.id, new, |row| row.list(section));
                }
            }
            // Whether a show is seen and sold is the show's to say; how many places there are tells the inventory.
            PlacesEvent::Show(
                _,
                ShowEvent::Published
                | ShowEvent::SalesOpened
                | ShowEvent::SalesClosed
                | ShowEvent::Cancelled { .. }
                | ShowEvent::CapacityAdded { .. },
            ) => {}
            PlacesEvent::Inventory(section, event) => rows.update(section, |row| {
                row.is_made = true;
                row.counts.apply(event);
            }),
        }
    }
}

impl SectionPlaces {
    fn new(show: ShowId, place: u32, listed: Section) -> Self {
        let counts = Counts::new(listed.capacity, &listed.row_lengths());
        Self { section: listed.id, show, place, listed, counts, is_made: false }
    }

    /// It is offered otherwise; how many places there are the inventory tells, once there is one.
    fn list(&mut self, section: &Section) {
        self.listed = section.clone();
        if !self.is_made {
            self.counts = Counts::new(section.capacity, &section.row_lengths());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared::{Places, ReservationId};
    use composable_rust::testing::spec::project;
    use uuid::Uuid;

    fn some(quantity: u32) -> Places {
        Places { quantity, seats: Vec::new() }
    }

    fn stream(section: SectionId) -> StreamId {
        StreamId::new("inventory", &section.to_string()).unwrap()
    }

    #[test]
    fn each_place_is_counted_once_whatever_happens_to_it() {
        let (show, section) = (ShowId::from(Uuid::from_u128(1)), SectionId::from(Uuid::from_u128(2)));
        let reservation = ReservationId::from(Uuid::from_u128(3));
        let created = crate::show::sample_listing(section, 10);
        let places = |event| (stream(section), PlacesEvent::Inventory(section, event));
        let history = [
            (
                StreamId::new("show", &show.to_string()).unwrap(),
                PlacesEvent::Show(show, ShowEvent::Created(created)),
            ),
            places(InventoryEvent::Initialised { show, capacity: 10, rows: Vec::new() }),
            places(InventoryEvent::SalesOpened),
            places(InventoryEvent::SeatsHeld { reservation, places: some(4) }),
            places(InventoryEvent::SeatsReleased { reservation, places: some(4) }),
            places(InventoryEvent::SeatsRetaken { reservation, places: some(4) }),
            places(InventoryEvent::SeatsSold { reservation, places: some(4) }),
            places(InventoryEvent::SeatsHeld { reservation, places: some(1) }),
            places(InventoryEvent::CapacityAdded { quantity: 5 }),
            places(InventoryEvent::SeatsBlocked { places: some(3) }),
            places(InventoryEvent::SeatsUnblocked { places: some(1) }),
        ];
        project(Availability, history).then_row(section, |row| {
            assert_eq!(
                (row.counts.capacity, row.counts.free, row.counts.held, row.counts.sold, row.counts.blocked),
                (15, 8, 1, 4, 2)
            );
        });
    }

    #[test]
    fn a_section_that_no_show_has_is_a_fault() {
        let section = SectionId::from(Uuid::from_u128(2));
        let lost = PlacesEvent::Inventory(section, InventoryEvent::SalesOpened);
        let fault = composable_rust::Fault::MissingRow { key: section.to_string() };
        project(Availability, [(stream(section), lost)]).then_fault(0, fault);
    }
}
