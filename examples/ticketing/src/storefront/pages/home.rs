//! `/`: what is on, to be searched.

use super::frame::Frame;
use super::pager::Pager;
use super::told::{When, tone};
use crate::inventory::views::Availability;
use crate::shared::{Money, SectionId, ShowId};
use crate::show::views::ShowList;
use crate::show::{MOST_SECTIONS, Search, ShowStatus, Tier, Venue, shows_like};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use composable_rust::later;
use composable_rust::prelude::*;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

const PAGE_SIZE: u32 = 12;
/// Most sections of the shows on one page, so that none is left out.
const SECTIONS_ON_A_PAGE: u32 = PAGE_SIZE * MOST_SECTIONS;
const DAY: Duration = Duration::from_hours(24);

/// What people look for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wish {
    q: Option<String>,
    from: Option<Date>,
    to: Option<Date>,
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    frame: &'a Frame,
    q: &'a str,
    from: String,
    to: String,
    shows: Vec<Card>,
    total: u64,
    pager: Pager,
}

/// A show as the list shows it.
struct Card {
    id: ShowId,
    tone: u64,
    title: String,
    venue: String,
    when: When,
    price: Option<Money>,
    status: ShowStatus,
    free: u32,
}

/// What a card tells of a row of the list; where each row of seats is, and much else, is not even read from its JSON.
#[derive(Deserialize)]
struct Found {
    id: ShowId,
    status: ShowStatus,
    show: Listed,
}

#[derive(Deserialize)]
struct Listed {
    listing: Option<Listing>,
}

#[derive(Deserialize)]
struct Listing {
    title: String,
    venue: Venue,
    starts_at: Timestamp,
    sections: Vec<Section>,
}

#[derive(Deserialize)]
struct Section {
    id: SectionId,
    capacity: u32,
    tiers: Vec<Tier>,
}

/// What a card tells of a section: how many places are free, and not which.
#[derive(Deserialize)]
struct Places {
    section: SectionId,
    counts: Free,
}

#[derive(Deserialize)]
struct Free {
    free: u32,
}

impl Home<'_> {
    fn is_narrowed(&self) -> bool {
        !(self.q.is_empty() && self.from.is_empty() && self.to.is_empty())
    }
}

pub(super) async fn page(
    State(app): State<Application>,
    frame: Frame,
    QueryParams(wish): QueryParams<Wish>,
    (pagination, min_position): (Pagination, MinPosition),
) -> Result<Response, Problem> {
    let shows = min_position.of(app.view::<ShowList>());
    let now = app.environment().now();
    let search = wish.search(now);
    let offered = [ShowStatus::Published, ShowStatus::SalesOpen, ShowStatus::SalesClosed];
    let query = shows_like(&shows, None, search).any_of("status", offered).order_by("starts_at");
    let found = query.page(pagination.page, PAGE_SIZE).fetch_as::<Found>().await?;
    let ids = found.items.iter().map(|row| row.id);
    let sections = min_position.of(app.view::<Availability>()).query().any_of("show", ids);
    let places = sections.page(1, SECTIONS_ON_A_PAGE).fetch_as::<Places>().await?.items;
    let free = places.into_iter().map(|places| (places.section, places.counts.free)).collect();
    let names = ("Earlier events", "Later events");
    frame.shows(&Home {
        frame: &frame,
        q: wish.q.as_deref().unwrap_or_default(),
        from: wish.from.map(|day| day.to_string()).unwrap_or_default(),
        to: wish.to.map(|day| day.to_string()).unwrap_or_default(),
        shows: found.items.into_iter().filter_map(|row| Card::new(row, &free, now)).collect(),
        total: found.total,
        pager: Pager::new(pagination, (found.total, PAGE_SIZE), names, |page| wish.link(page)),
    })
}

impl Wish {
    /// Shows that are over are not looked for, unless by their date. Days begin in UTC: venues are all over the world.
    fn search(&self, now: Timestamp) -> Search {
        let start = |day: Date| day.to_zoned(TimeZone::UTC).ok().map(|start| start.timestamp());
        let from = self.from.and_then(start).or(Some(now));
        let to = self.to.and_then(start).map(|start| later(start, DAY));
        Search::between(from, to, self.q.as_ref().map(|words| words.trim().to_owned()))
    }

    fn link(&self, page: u32) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.q.iter().map(|words| ("q", words)));
        query.extend_pairs(self.from.iter().map(|day| ("from", day.to_string())));
        query.extend_pairs(self.to.iter().map(|day| ("to", day.to_string())));
        format!("/?{}", query.append_pair("page", &page.to_string()).finish())
    }
}

impl Card {
    /// `free` tells of each section how many places are; one that its view does not know of yet is as it was made.
    fn new(row: Found, free: &BTreeMap<SectionId, u32>, now: Timestamp) -> Option<Self> {
        let Listing { title, venue, starts_at, sections } = row.show.listing?;
        let free = |section: &Section| free.get(&section.id).copied().unwrap_or(section.capacity);
        // Of what is on sale, only what can be had now.
        let is_on_sale = row.status == ShowStatus::SalesOpen;
        let left = sections.iter().filter(|section| !is_on_sale || free(section) > 0);
        let tiers = left.flat_map(|section| &section.tiers);
        let prices = tiers.filter(|tier| !is_on_sale || tier.is_sold_at(now)).map(|tier| tier.price);
        Some(Self {
            id: row.id,
            tone: tone(row.id.as_uuid()),
            title,
            when: When::new(starts_at, &venue.time_zone),
            venue: venue.name,
            price: prices.min_by_key(|price| price.amount),
            status: row.status,
            free: sections.iter().map(free).fold(0, u32::saturating_add),
        })
    }

    /// Where the sale stands, in few words.
    fn state(&self) -> String {
        match self.status {
            ShowStatus::SalesOpen if self.free == 0 => "Sold out".to_owned(),
            ShowStatus::SalesOpen if self.free <= 20 => format!("Only {} left", self.free),
            ShowStatus::SalesOpen => "On sale".to_owned(),
            ShowStatus::Published => "On sale soon".to_owned(),
            ShowStatus::Cancelled => "Cancelled".to_owned(),
            ShowStatus::SalesClosed | ShowStatus::Unlisted | ShowStatus::Draft => "Sale ended".to_owned(),
        }
    }
}
