//! Demo data: some shows on sale, made through the same commands as everybody's.

use crate::account;
use crate::inventory::InventoryCommand;
use crate::shared::{Currency, Money, ShowId};
use crate::show::views::ShowList;
use crate::show::{NewSection, NewShow, NewTier, SeatRow, SectionKind, Show, ShowCommand, Venue};
use composable_rust::prelude::*;
use composable_rust::runtime::BoxError;
use composable_rust::{CommandId, derived_uuid, later, uuid_v7};
use jiff::Timestamp;
use jiff::civil::time;
use std::time::Duration;
use uuid::Uuid;

/// The show that has numbered seats besides.
const WITH_SEATS: &str = "The Magic Flute";
const ZONE: &str = "Europe/Berlin";
const DAY: Duration = Duration::from_hours(24);

/// Title, venue, days until then, places without a number and price in cents.
const SHOWS: [(&str, &str, u32, u32, i64); 4] = [
    ("Winterreise", "Kleiner Saal", 21, 120, 2_800),
    (WITH_SEATS, "City Opera", 35, 60, 3_200),
    ("Open-air cinema: Metropolis", "Castle courtyard", 60, 400, 900),
    ("Jazz on the river", "Pier 3", 90, 250, 0),
];

/// Loads the demo data. A second time adds nothing: each command has an id of its own for ever.
///
/// # Errors
/// When a command cannot be carried out.
pub async fn load(app: &Application) -> Result<(), BoxError> {
    let owner = account::user_of(app, "organiser@example.org").await?;
    let mut last = Position::ZERO;
    for (title, venue, days, capacity, cents) in SHOWS {
        let id = ShowId::from(id_of(title));
        if app.load::<Show>(&id).await?.is_none() {
            let show = show(app, (title, venue), days, capacity, cents);
            app.execute(id, ShowCommand::Create { owner, show }).request(once(id, "create")).await?;
        }
        let Some(made) = app.load::<Show>(&id).await? else { continue };
        let sections = made.state.listing.map(|listing| listing.sections).unwrap_or_default();
        let publish = sections.iter().map(|section| {
            on(
                section.id,
                InventoryCommand::Initialise {
                    show: id,
                    capacity: section.capacity,
                    rows: section.row_lengths(),
                },
            )
        });
        let publish = (on(id, ShowCommand::Publish), publish.collect::<Vec<_>>());
        app.execute_all(publish).request(once(id, "publish")).await?;
        let open = sections.iter().map(|section| on(section.id, InventoryCommand::OpenSales));
        let open = (on(id, ShowCommand::OpenSales), open.collect::<Vec<_>>());
        last = app.execute_all(open).request(once(id, "open")).await?.position;
    }
    // Whoever opens the page now sees them. A view that is behind comes after.
    app.view::<ShowList>().wait_for(last, Duration::from_secs(5)).await.ok();
    Ok(())
}

/// The same at every start, in the form of all ids.
fn id_of(title: &str) -> Uuid {
    let (high, low) = derived_uuid(&["demo", title]).as_u64_pair();
    uuid_v7(Timestamp::constant(1_767_225_600, 0), (high & 0xffff) as u16, low)
}

fn once(id: ShowId, step: &str) -> RequestContext {
    RequestContext::with_id(CommandId::derived(&["demo", &id.to_string(), step]))
}

fn show(app: &Application, (title, venue): (&str, &str), days: u32, capacity: u32, cents: i64) -> NewShow {
    let tier = |name: &str, amount| NewTier {
        name: name.into(),
        price: Money::new(amount, Currency::EUR),
        sales_start: None,
        sales_end: None,
    };
    let starts_at = evening(later(app.environment().now(), DAY.saturating_mul(days)));
    let general = NewSection {
        name: "General admission".into(),
        kind: SectionKind::General,
        capacity: Some(capacity),
        rows: Vec::new(),
        tiers: vec![tier("Regular", cents), tier("Reduced", cents / 2)],
    };
    let stalls = (title == WITH_SEATS).then(|| NewSection {
        name: "Stalls".into(),
        kind: SectionKind::Seated,
        capacity: None,
        rows: ["A", "B", "C", "D", "E", "F"].map(|name| SeatRow { name: name.into(), seats: 14 }).to_vec(),
        tiers: vec![tier("Adult", 6_500), tier("Child", 2_000)],
    });
    NewShow {
        title: title.into(),
        description: None,
        venue: Venue { name: venue.into(), address: None, time_zone: ZONE.into() },
        starts_at,
        ends_at: Some(later(starts_at, Duration::from_hours(2))),
        currency: Currency::EUR,
        max_per_order: None,
        max_per_customer: None,
        sections: stalls.into_iter().chain([general]).collect(),
    }
}

/// Half past seven of that day.
fn evening(moment: Timestamp) -> Timestamp {
    let evening = moment.in_tz(ZONE).and_then(|day| day.with().time(time(19, 30, 0, 0)).build());
    evening.map_or(moment, |evening| evening.timestamp())
}
