//! What an order would cost: the server's prices, never the client's.

use super::{Listing, Section, SectionKind, Show, ShowRefused, ShowStatus};
use crate::shared::{Line, Money, SeatId, SectionId, TierId, Violations, total_of};
use composable_rust::prelude::*;
use jiff::Timestamp;
use schemars::JsonSchema;
use std::collections::BTreeSet;

/// Some places that a customer wants.
#[derive(Debug, Clone, PartialEq, Eq, Data, JsonSchema)]
#[schemars(extend("oneOf" = [
    { "properties": { "quantity": { "type": "integer" }, "seat_ids": { "type": "null" } }, "required": ["quantity"] },
    { "properties": { "quantity": { "type": "null" }, "seat_ids": { "type": "array" } }, "required": ["seat_ids"] },
]))]
pub struct Wanted {
    /// Where.
    pub section_id: SectionId,
    /// At which price.
    pub tier_id: TierId,
    /// How many; of numbered seats the best together.
    #[schemars(range(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u32>,
    /// Which seats, in place of how many.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seat_ids: Option<Vec<SeatId>>,
}

impl Wanted {
    /// How many places.
    fn places(&self) -> u64 {
        let seats = self.seat_ids.as_ref().map_or(0, |seats| seats.len() as u64);
        self.quantity.map_or(seats, u64::from)
    }
}

/// An order at the prices of this moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Quote {
    /// What is ordered.
    pub lines: Vec<Line>,
    /// What it costs.
    pub total: Money,
}

impl Show {
    /// What these places cost now.
    ///
    /// # Errors
    /// When they are not sold now, are too many, or are none of this show.
    pub fn quote(&self, wanted: &[Wanted], now: Timestamp) -> Result<Quote, ShowRefused> {
        let Some(listing) = self.listing.as_ref().filter(|_| self.status == ShowStatus::SalesOpen) else {
            return Err(ShowRefused::SalesClosed);
        };
        check(listing, wanted)?;
        let places: u64 = wanted.iter().map(Wanted::places).fold(0, u64::saturating_add);
        if places > u64::from(listing.max_per_order) {
            return Err(ShowRefused::LimitExceeded { limit: listing.max_per_order });
        }
        let lines = wanted.iter().filter_map(|line| priced(listing, line, now)).collect::<Vec<_>>();
        if lines.len() < wanted.len() {
            return Err(ShowRefused::SalesClosed);
        }
        // Prices and quantities have limits whose product fits.
        let total = total_of(&lines).ok_or(ShowRefused::LimitExceeded { limit: listing.max_per_order })?;
        Ok(Quote { lines, total })
    }
}

fn check(listing: &Listing, wanted: &[Wanted]) -> Result<(), ShowRefused> {
    let (mut wrong, mut seats) = (Violations::default(), BTreeSet::new());
    wrong.count(wanted.len(), 1, 10, "/lines");
    for (index, line) in wanted.iter().enumerate() {
        let at = format!("/lines/{index}");
        let detail = "say either how many, at least 1, or which seats";
        let is_said = line.quantity.is_some() != line.seat_ids.is_some() && line.places() > 0;
        wrong.check(is_said, format!("{at}/quantity"), "out_of_range", detail);
        let section = listing.sections.iter().find(|section| section.id == line.section_id);
        let detail = "the event has no such section";
        wrong.check(section.is_some(), format!("{at}/section_id"), "unknown", detail);
        let Some(section) = section else { continue };
        let has_tier = section.tiers.iter().any(|tier| tier.id == line.tier_id);
        wrong.check(has_tier, format!("{at}/tier_id"), "unknown", "the section has no such tier");
        check_seats(section, line, (&at, &mut seats), &mut wrong);
    }
    wrong.into_result(|errors| ShowRefused::Invalid { errors })
}

/// Each seat is one of the section, and asked for once in the whole order.
fn check_seats(
    section: &Section,
    line: &Wanted,
    (at, seen): (&str, &mut BTreeSet<SeatId>),
    wrong: &mut Violations,
) {
    for (index, seat) in line.seat_ids.iter().flatten().enumerate() {
        let at = format!("{at}/seat_ids/{index}");
        let is_ours = section.kind == SectionKind::Seated
            && seat.place_in(section.id).is_some_and(|place| place < section.capacity);
        wrong.check(is_ours, at.as_str(), "unknown", "the section has no such seat");
        wrong.check(seen.insert(*seat), at, "duplicate", "this seat is asked for twice");
    }
}

/// The line at its price; `None` when it is not sold at this moment.
fn priced(listing: &Listing, wanted: &Wanted, now: Timestamp) -> Option<Line> {
    let section = listing.sections.iter().find(|section| section.id == wanted.section_id)?;
    let tier = section.tiers.iter().find(|tier| tier.id == wanted.tier_id && tier.is_sold_at(now))?;
    let places = wanted.seat_ids.iter().flatten().filter_map(|seat| seat.place_in(section.id));
    Some(Line {
        section_id: section.id,
        section: section.name.clone(),
        tier_id: tier.id,
        tier: tier.name.clone(),
        quantity: u32::try_from(wanted.places()).ok()?,
        price: tier.price,
        seats: places.filter_map(|place| section.seat(place)).collect(),
    })
}
