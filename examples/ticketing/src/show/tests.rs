//! What a show allows, as sentences.

use super::views::{ListedShow, ShowList};
use super::*;
use crate::shared::{Currency, Money, SeatId, SectionId, TierId};
use composable_rust::Context;
use composable_rust::later;
use composable_rust::prelude::*;
use composable_rust::testing::spec::{START, command_id};
use jiff::Timestamp;
use std::time::Duration;
use uuid::Uuid;

fn in_days(days: u32) -> Timestamp {
    later(START, Duration::from_hours(24) * days)
}

fn owner() -> UserId {
    UserId::from_uuid(Uuid::from_u128(1))
}

fn concert() -> NewShow {
    let tier = |name: &str, cents| NewTier {
        name: name.into(),
        price: Money::new(cents, Currency::EUR),
        sales_start: None,
        sales_end: None,
    };
    NewShow {
        title: "Concert".into(),
        description: None,
        venue: Venue { name: "Hall".into(), address: None, time_zone: "Europe/Berlin".into() },
        starts_at: in_days(30),
        ends_at: None,
        currency: Currency::EUR,
        max_per_order: Some(4),
        max_per_customer: None,
        sections: vec![NewSection {
            name: "Floor".into(),
            kind: SectionKind::General,
            capacity: Some(100),
            rows: Vec::new(),
            tiers: vec![tier("Adult", 4_500), tier("Child", 2_000)],
        }],
    }
}

fn created() -> ShowEvent {
    let create = ShowCommand::Create { owner: owner(), show: concert() };
    Show::default().decide(create, &Context::new(START, command_id())).unwrap().remove(0)
}

/// A listing with one section, for the tests of views.
pub(crate) fn sample_listing(section: SectionId, capacity: u32) -> Listing {
    let ShowEvent::Created(mut listing) = created() else { panic!("not created") };
    listing.sections[0].id = section;
    listing.sections[0].capacity = capacity;
    listing
}

#[test]
fn the_list_shows_a_draft_to_its_owner_and_the_rest_to_everybody() {
    let id = crate::shared::ShowId::from(Uuid::from_u128(5));
    project(ShowList, [(id, created())]).then_row(id, |row| {
        assert_eq!((row.seen_by.clone(), row.status), (owner().to_string(), ShowStatus::Draft));
    });
    project(ShowList, [(id, created()), (id, ShowEvent::Published)]).then_row(id, |row| {
        assert_eq!((row.seen_by.as_str(), row.status), (ListedShow::EVERYBODY, ShowStatus::Published));
        assert_eq!(row.show.status, row.status);
    });
}

fn violations(change: impl FnOnce(&mut NewShow)) -> Vec<(String, String)> {
    let mut show = concert();
    change(&mut show);
    let refused = Show::default()
        .decide(ShowCommand::Create { owner: owner(), show }, &Context::new(START, command_id()))
        .unwrap_err();
    let ShowRefused::Invalid { errors } = refused else { panic!("refused otherwise: {refused:?}") };
    errors.into_iter().map(|error| (error.pointer, error.code)).collect()
}

#[test]
fn a_new_show_is_a_draft_with_ids_for_sections_and_tiers() {
    given_nothing::<Show>()
        .when(ShowCommand::Create { owner: owner(), show: concert() })
        .then([created()])
        .then_state(|show| {
            let listing = show.listing.as_ref().unwrap();
            assert_eq!((show.status, listing.owner_id), (ShowStatus::Draft, owner()));
            let section = &listing.sections[0];
            let ids = [section.id.as_uuid(), section.tiers[0].id.as_uuid(), section.tiers[1].id.as_uuid()];
            assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
        });
}

#[test]
fn all_that_is_wrong_is_told_at_once_with_its_place() {
    let found = violations(|show| {
        show.title = " ".into();
        show.starts_at = START;
        show.ends_at = Some(in_days(0));
        show.sections[0].capacity = Some(0);
        show.sections[0].tiers[1].price = Money::new(-1, Currency::USD);
    });
    let places: Vec<_> = found.iter().map(|(at, code)| (at.as_str(), code.as_str())).collect();
    assert_eq!(
        places,
        [
            ("/title", "too_short"),
            ("/starts_at", "in_the_past"),
            ("/sections/0/capacity", "out_of_range"),
            ("/sections/0/tiers/1/price/amount", "out_of_range"),
            ("/sections/0/tiers/1/price/currency", "wrong_currency"),
        ]
    );
}

#[test]
fn a_time_zone_is_one_of_iana() {
    for zone in ["Europe/Berlin", "America/Argentina/Ushuaia", "Etc/GMT+5", "UTC"] {
        let mut show = concert();
        show.venue.time_zone = zone.into();
        given_nothing::<Show>()
            .when(ShowCommand::Create { owner: owner(), show })
            .then_state(|show| assert_eq!(show.status, ShowStatus::Draft, "{zone}"));
    }
    for zone in ["", "Mars/Olympus", "Europe", "europe/berlin", "+02:00", "CEST", "Europe/Berlin "] {
        let wrong = violations(|show| show.venue.time_zone = zone.into());
        assert_eq!(wrong, [("/venue/time_zone".into(), "invalid_value".into())], "{zone:?}");
    }
}

#[test]
fn limits_are_inclusive() {
    assert_eq!(violations(|show| show.title = "x".repeat(201)), [("/title".into(), "too_long".into())]);
    assert_eq!(violations(|show| show.title = "a\0b".into()), [("/title".into(), "invalid_value".into())]);
    assert_eq!(
        violations(|show| show.sections[0].capacity = Some(100_001)),
        [("/sections/0/capacity".into(), "out_of_range".into())]
    );
    assert_eq!(
        violations(|show| show.sections[0].tiers.clear()),
        [("/sections/0/tiers".into(), "too_few".into())]
    );
    assert_eq!(
        violations(|show| show.max_per_order = Some(0)),
        [("/max_per_order".into(), "out_of_range".into())]
    );
    let fits = NewShow { title: "x".repeat(200), ends_at: Some(in_days(30)), ..concert() };
    given_nothing::<Show>()
        .when(ShowCommand::Create { owner: owner(), show: fits })
        .then_state(|show| assert_eq!(show.status, ShowStatus::Draft));
}

#[test]
fn a_show_is_published_sold_closed_and_sold_again() {
    use ShowEvent::{Published, SalesClosed, SalesOpened};
    given::<Show>([created()]).when(ShowCommand::Publish).then([Published]);
    given::<Show>([created(), Published]).when(ShowCommand::OpenSales).then([SalesOpened]);
    given::<Show>([created(), Published, SalesOpened]).when(ShowCommand::CloseSales).then([SalesClosed]);
    given::<Show>([created(), Published, SalesOpened, SalesClosed])
        .when(ShowCommand::OpenSales)
        .then([SalesOpened]);
}

#[test]
fn a_step_out_of_order_is_refused() {
    let refused = |status| ShowRefused::WrongState { status };
    given::<Show>([created()]).when(ShowCommand::OpenSales).then_rejected(refused(ShowStatus::Draft));
    given::<Show>([created(), ShowEvent::Published])
        .when(ShowCommand::Publish)
        .then_rejected(refused(ShowStatus::Published));
    given_nothing::<Show>().when(ShowCommand::Publish).then_rejected(refused(ShowStatus::Unlisted));
    given::<Show>([created()])
        .when(ShowCommand::Create { owner: owner(), show: concert() })
        .then_rejected(refused(ShowStatus::Draft));
}

/// A show on sale, and what one wants of its first section.
fn on_sale() -> (Show, impl Fn(usize, u32) -> Wanted) {
    let events = [created(), ShowEvent::Published, ShowEvent::SalesOpened];
    let show: Show = fold(&events);
    let section = show.listing.clone().unwrap().sections.remove(0);
    let wanted = move |tier: usize, quantity| Wanted {
        section_id: section.id,
        tier_id: section.tiers[tier].id,
        quantity: Some(quantity),
        seat_ids: None,
    };
    (show, wanted)
}

#[test]
fn an_order_costs_what_the_show_says() {
    let (show, wanted) = on_sale();
    let quote = show.quote(&[wanted(0, 2), wanted(1, 1)], START).unwrap();
    assert_eq!(quote.total, Money::new(11_000, Currency::EUR));
    assert_eq!(quote.lines[1].tier, "Child");
}

#[test]
fn an_order_asks_for_what_there_is() {
    let (show, wanted) = on_sale();
    assert_eq!(show.quote(&[wanted(0, 5)], START), Err(ShowRefused::LimitExceeded { limit: 4 }));
    let unknown = Wanted { section_id: SectionId::from(Uuid::nil()), ..wanted(0, 1) };
    let other_tier = Wanted { tier_id: TierId::from(Uuid::nil()), ..wanted(0, 0) };
    let Err(ShowRefused::Invalid { errors }) = show.quote(&[unknown, other_tier], START) else { panic!() };
    let places: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
    assert_eq!(places, ["/lines/0/section_id", "/lines/1/quantity", "/lines/1/tier_id"]);
    assert!(matches!(show.quote(&[], START), Err(ShowRefused::Invalid { .. })));
}

#[test]
fn nothing_is_sold_before_and_after_its_time() {
    let (mut show, wanted) = on_sale();
    let tier = &mut show.listing.as_mut().unwrap().sections[0].tiers[0];
    (tier.sales_start, tier.sales_end) = (Some(in_days(1)), Some(in_days(2)));
    assert_eq!(show.quote(&[wanted(0, 1)], START), Err(ShowRefused::SalesClosed));
    assert!(show.quote(&[wanted(0, 1)], in_days(1)).is_ok());
    assert_eq!(show.quote(&[wanted(0, 1)], in_days(2)), Err(ShowRefused::SalesClosed));
    show.evolve(&ShowEvent::SalesClosed);
    assert_eq!(show.quote(&[wanted(1, 1)], START), Err(ShowRefused::SalesClosed));
}

/// The concert in two rows of numbered seats.
fn seated() -> NewShow {
    let row = |name: &str, seats| SeatRow { name: name.into(), seats };
    let mut show = concert();
    let section = &mut show.sections[0];
    (section.kind, section.capacity) = (SectionKind::Seated, None);
    section.rows = vec![row("A", 2), row("B", 3)];
    show
}

#[test]
fn rows_of_numbered_seats_say_how_many_places_there_are() {
    let create = ShowCommand::Create { owner: owner(), show: seated() };
    given_nothing::<Show>().when(create).then_state(|show| {
        let section = &show.listing.as_ref().unwrap().sections[0];
        let seats: Vec<_> = section.seats().map(|seat| format!("{}{}", seat.row, seat.number)).collect();
        assert_eq!((section.capacity, seats.join(" ")), (5, "A1 A2 B1 B2 B3".into()));
        let by_place: Vec<_> = (0..9).filter_map(|place| section.seat(place)).collect();
        assert_eq!(by_place, section.seats().collect::<Vec<_>>());
    });
    let found = |change: fn(&mut NewSection)| {
        violations(|show| {
            *show = seated();
            change(&mut show.sections[0]);
        })
    };
    let violation = |at: &str, code: &str| vec![(format!("/sections/0/{at}"), code.to_owned())];
    assert_eq!(found(|section| section.capacity = Some(5)), violation("capacity", "not_general"));
    assert_eq!(found(|section| section.rows[1].name = "A".into()), violation("rows/1/name", "duplicate"));
    assert_eq!(found(|section| section.rows[1].seats = 0), violation("rows/1/seats", "out_of_range"));
    assert_eq!(violations(|show| show.sections[0].capacity = None), violation("capacity", "required"));
}

#[test]
fn seats_are_asked_for_by_their_ids_each_once() {
    let create = ShowCommand::Create { owner: owner(), show: seated() };
    let created = Show::default().decide(create, &Context::new(START, command_id())).unwrap().remove(0);
    let show: Show = fold(&[created, ShowEvent::Published, ShowEvent::SalesOpened]);
    let section = show.listing.clone().unwrap().sections.remove(0);
    let wanted = |places: &[u32]| Wanted {
        section_id: section.id,
        tier_id: section.tiers[0].id,
        quantity: None,
        seat_ids: Some(places.iter().map(|place| SeatId::of(section.id, *place)).collect()),
    };
    let quote = show.quote(&[wanted(&[1, 2])], START).unwrap();
    let seats: Vec<_> = quote.lines[0].seats.iter().map(|seat| (seat.row.as_str(), seat.number)).collect();
    assert_eq!((quote.lines[0].quantity, seats), (2, vec![("A", 2), ("B", 1)]));
    let codes = |lines: &[Wanted]| match show.quote(lines, START) {
        Err(ShowRefused::Invalid { errors }) => {
            errors.into_iter().map(|error| format!("{} {}", error.pointer, error.code)).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(codes(&[wanted(&[0, 5])]), ["/lines/0/seat_ids/1 unknown"]);
    assert_eq!(codes(&[wanted(&[0]), wanted(&[1, 0])]), ["/lines/1/seat_ids/1 duplicate"]);
    assert_eq!(codes(&[wanted(&[])]), ["/lines/0/quantity out_of_range"]);
    assert_eq!(codes(&[Wanted { quantity: Some(1), ..wanted(&[0]) }]), ["/lines/0/quantity out_of_range"]);
}

#[test]
fn more_places_are_made_in_general_sections_up_to_the_limit() {
    let section = fold::<Show>(&[created()]).listing.unwrap().sections[0].id;
    let add = |quantity| ShowCommand::AddCapacity { section, quantity };
    given::<Show>([created(), ShowEvent::Published])
        .when(add(99_900))
        .then([ShowEvent::CapacityAdded { section, quantity: 99_900 }])
        .then_state(|show| assert_eq!(show.listing.as_ref().unwrap().sections[0].capacity, 100_000));
    let detail = "a section may have at most 100000 places".to_owned();
    let pointer = "/add_capacity".to_owned();
    let errors = vec![crate::shared::Violation { pointer, code: "out_of_range".into(), detail }];
    given::<Show>([created(), ShowEvent::Published])
        .when(add(99_901))
        .then_rejected(ShowRefused::Invalid { errors });
    given::<Show>([created()])
        .when(add(1))
        .then_rejected(ShowRefused::WrongState { status: ShowStatus::Draft });
}

#[test]
fn a_show_is_cancelled_for_good_at_any_time() {
    let reason = || Some("the singer is ill".to_owned());
    let cancelled = || ShowEvent::Cancelled { reason: reason() };
    for before in [vec![created()], vec![created(), ShowEvent::Published, ShowEvent::SalesOpened]] {
        given::<Show>(before).when(ShowCommand::Cancel { reason: reason() }).then([cancelled()]);
    }
    let over = || [created(), ShowEvent::Published, cancelled()];
    given::<Show>(over()).when(ShowCommand::Cancel { reason: None }).then_nothing();
    let refused = ShowRefused::WrongState { status: ShowStatus::Cancelled };
    given::<Show>(over()).when(ShowCommand::OpenSales).then_rejected(refused.clone());
    let listing = listing();
    let same = Changed { from: listing.clone(), to: listing };
    given::<Show>(over()).when(ShowCommand::Update(Box::new(same))).then_rejected(refused);
}

fn listing() -> Listing {
    let ShowEvent::Created(listing) = created() else { panic!("not created") };
    listing
}

#[test]
fn a_change_rests_on_what_somebody_saw_and_of_a_public_show_on_no_order() {
    let update = |to: &Listing| ShowCommand::Update(Box::new(Changed { from: listing(), to: to.clone() }));
    let mut other = listing();
    other.title = "Recital".into();
    given::<Show>([created()]).when(update(&other)).then([ShowEvent::Updated(other.clone())]);
    given::<Show>([created()]).when(update(&listing())).then_nothing();
    given::<Show>([created(), ShowEvent::Updated(other.clone())])
        .when(update(&other))
        .then_rejected(ShowRefused::WrongState { status: ShowStatus::Draft });

    let mut fewer = listing();
    fewer.sections[0].capacity = 1;
    given::<Show>([created()]).when(update(&fewer)).then([ShowEvent::Updated(fewer.clone())]);
    let refused = Show::default();
    let public = [created(), ShowEvent::Published].iter().fold(refused, |mut show, event| {
        show.evolve(event);
        show
    });
    let context = Context::new(START, command_id());
    let Err(ShowRefused::Invalid { errors }) = public.decide(update(&fewer), &context) else {
        panic!("a public show has fewer places")
    };
    assert_eq!(
        (errors[0].pointer.as_str(), errors[0].code.as_str()),
        ("/sections/0/capacity", "cannot_change")
    );
}
