//! What is ordered, at the price of the moment, and the tickets that come of it.

use super::{Money, SeatId, SectionId, TicketId, TierId};
use composable_rust::prelude::*;
use schemars::JsonSchema;
use std::collections::BTreeMap;

/// Some places of one tier.
#[derive(Debug, Clone, PartialEq, Eq, Data, JsonSchema)]
pub struct Line {
    /// Where.
    pub section_id: SectionId,
    /// The section's name when it was ordered.
    pub section: String,
    /// Which price.
    pub tier_id: TierId,
    /// The tier's name when it was ordered.
    pub tier: String,
    /// How many places.
    pub quantity: u32,
    /// The price of one.
    pub price: Money,
    /// Which ones, where seats are numbered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seats: Vec<Seat>,
}

/// A numbered seat, as people find it.
#[derive(Debug, Clone, PartialEq, Eq, Data, JsonSchema)]
pub struct Seat {
    /// Its id.
    pub id: SeatId,
    /// Its row's name.
    pub row: String,
    /// Its number in the row, from 1.
    pub number: u32,
}

/// Some places of one section.
#[derive(Debug, Clone, Default, PartialEq, Eq, Data)]
pub struct Places {
    /// How many.
    pub quantity: u32,
    /// Which ones, by their place in the section counted from 0, where seats are numbered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seats: Vec<u32>,
}

/// The right to one place.
#[derive(Debug, Clone, PartialEq, Eq, Data)]
pub struct Ticket {
    /// Its id.
    pub id: TicketId,
    /// Which section's place it is.
    pub section_id: SectionId,
    /// The section's name.
    pub section: String,
    /// Which price was paid.
    pub tier_id: TierId,
    /// The tier's name.
    pub tier: String,
    /// What it cost.
    pub price: Money,
    /// Its seat, where seats are numbered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seat_id: Option<SeatId>,
    /// Its seat's row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<String>,
    /// Its seat's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seat: Option<u32>,
    /// What is shown at the door.
    pub code: String,
}

/// What the lines cost together; `None` when it cannot be said in 64 bits or in one currency.
pub fn total_of(lines: &[Line]) -> Option<Money> {
    let zero = Money::zero(lines.first()?.price.currency);
    lines.iter().try_fold(zero, |sum, line| sum.plus(line.price.times(line.quantity)?))
}

/// What these tickets cost together; `None` when there is none.
pub fn worth_of<'a>(tickets: impl IntoIterator<Item = &'a Ticket>) -> Option<Money> {
    let mut prices = tickets.into_iter().map(|ticket| ticket.price);
    let first = prices.next()?;
    prices.try_fold(first, Money::plus)
}

/// Some tickets of one tier, and what they cost.
#[derive(Debug, Clone, PartialEq, Eq, Data)]
pub struct TierSales {
    /// Of which section.
    pub section_id: SectionId,
    /// How many.
    pub quantity: u32,
    /// What they cost together.
    pub amount: Money,
}

/// What these tickets are worth, tier by tier.
pub fn sales_of<'a>(tickets: impl IntoIterator<Item = &'a Ticket>) -> BTreeMap<TierId, TierSales> {
    let mut sales = BTreeMap::<TierId, TierSales>::new();
    for Ticket { section_id, tier_id, price, .. } in tickets {
        let nothing = TierSales { section_id: *section_id, quantity: 0, amount: Money::zero(price.currency) };
        let of_tier = sales.entry(*tier_id).or_insert(nothing);
        of_tier.quantity = of_tier.quantity.saturating_add(1);
        // The prices of an order have limits whose sum fits.
        of_tier.amount = of_tier.amount.plus(*price).unwrap_or(of_tier.amount);
    }
    sales
}

/// The places of these tickets, section by section.
pub fn places_of<'a>(tickets: impl IntoIterator<Item = &'a Ticket>) -> BTreeMap<SectionId, Places> {
    let mut places = BTreeMap::<SectionId, Places>::new();
    for ticket in tickets {
        let of_section = places.entry(ticket.section_id).or_default();
        of_section.quantity = of_section.quantity.saturating_add(1);
        of_section.seats.extend(ticket.seat_id.and_then(|seat| seat.place_in(ticket.section_id)));
    }
    places
}

/// The places that the lines take of each section.
pub fn holds_of(lines: &[Line]) -> BTreeMap<SectionId, Places> {
    let mut holds = BTreeMap::<SectionId, Places>::new();
    for line in lines {
        let places = holds.entry(line.section_id).or_default();
        places.quantity = places.quantity.saturating_add(line.quantity);
        places.seats.extend(line.seats.iter().filter_map(|seat| seat.id.place_in(line.section_id)));
    }
    holds
}
