//! `/orders`: what somebody has ordered.

use super::frame::Frame;
use super::order::{state_of, tense};
use super::pager::Pager;
use super::told::{When, tone};
use crate::reservation::ReservationStatus;
use crate::reservation::views::{ListedReservation, ReservationList};
use crate::shared::{Money, ReservationId, ShowId};
use crate::show::views::{ListedShow, ShowList};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use composable_rust::prelude::*;
use std::collections::BTreeMap;

const PAGE_SIZE: u32 = 20;

#[derive(Template)]
#[template(path = "orders.html")]
struct Orders<'a> {
    frame: &'a Frame,
    items: Vec<Item>,
    pager: Pager,
}

/// An order in the list.
struct Item {
    id: ReservationId,
    tone: u64,
    title: String,
    when: Option<When>,
    places: u32,
    total: Option<Money>,
    state: &'static str,
    tense: &'static str,
    can_cancel: bool,
}

pub(super) async fn page(
    State(app): State<Application>,
    frame: Frame,
    principal: Principal,
    (pagination, min_position): (Pagination, MinPosition),
) -> Result<Response, Problem> {
    let mine =
        min_position.of(app.view::<ReservationList>()).query().filter_eq("customer", principal.user_id);
    let found = mine.order_by_descending("placed_at").page(pagination.page, PAGE_SIZE).fetch().await?;
    let mut shows = BTreeMap::<ShowId, ListedShow>::new();
    for row in &found.items {
        if let (false, Some(show)) =
            (shows.contains_key(&row.show), app.view::<ShowList>().get(row.show).await?)
        {
            shows.insert(row.show, show);
        }
    }
    let names = ("Newer orders", "Older orders");
    let link = |page| format!("/orders?page={page}");
    frame.shows(&Orders {
        frame: &frame,
        items: found.items.iter().map(|row| Item::new(row, shows.get(&row.show))).collect(),
        pager: Pager::new(pagination, (found.total, PAGE_SIZE), names, link),
    })
}

impl Item {
    fn new(row: &ListedReservation, show: Option<&ListedShow>) -> Self {
        let listing = show.and_then(|row| row.show.listing.as_ref());
        let order = row.reservation.order.as_ref();
        Self {
            id: row.id,
            tone: tone(row.show.as_uuid()),
            title: listing.map(|listing| listing.title.clone()).unwrap_or_default(),
            when: listing.map(|listing| When::new(listing.starts_at, &listing.venue.time_zone)),
            places: order.map_or(0, crate::reservation::Order::places),
            total: order.map(|order| order.total),
            state: state_of(row.status),
            tense: tense(row.status),
            can_cancel: row.status == ReservationStatus::Held,
        }
    }
}
