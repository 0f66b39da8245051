//! What is ordered, at the price of the moment, and the tickets that come of it.

use super::{Money, SectionId, TicketId, TierId};
use composable_rust::prelude::*;
use std::collections::BTreeMap;

/// Some places of one tier.
#[derive(Debug, Clone, PartialEq, Eq, Data)]
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
}

/// The right to one place.
#[derive(Debug, Clone, PartialEq, Eq, Data)]
pub struct Ticket {
    /// Its id.
    pub id: TicketId,
    /// The section's name.
    pub section: String,
    /// The tier's name.
    pub tier: String,
    /// What is shown at the door.
    pub code: String,
}

/// What the lines cost together; `None` when it cannot be said in 64 bits or in one currency.
pub fn total_of(lines: &[Line]) -> Option<Money> {
    let zero = Money::zero(lines.first()?.price.currency);
    lines.iter().try_fold(zero, |sum, line| sum.plus(line.price.times(line.quantity)?))
}

/// How many places the lines take of each section.
pub fn holds_of(lines: &[Line]) -> BTreeMap<SectionId, u32> {
    let mut holds = BTreeMap::new();
    for line in lines {
        let places: &mut u32 = holds.entry(line.section_id).or_default();
        *places = places.saturating_add(line.quantity);
    }
    holds
}
