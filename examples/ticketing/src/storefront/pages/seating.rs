//! The seats of a section as a table: a row for each row, a checkbox for each seat that is free.

use super::selection::Selection;
use super::selection::field_of;
use super::told::When;
use crate::inventory::views::SectionPlaces;
use crate::inventory::{Counts, SeatState};
use crate::shared::{Money, SeatId, SectionId};
use crate::show::{Section, SectionKind, Tier};
use composable_rust::prelude::*;
use std::collections::BTreeSet;

/// Most seats that are shown one by one; in larger sections people get the best ones together.
const MOST_SEATS: u32 = 2_000;

/// A section as the page of its show offers it.
pub(super) struct SectionView {
    pub(super) id: SectionId,
    pub(super) name: String,
    pub(super) is_seated: bool,
    pub(super) free: u32,
    pub(super) tiers: Vec<TierView>,
    pub(super) rows: Vec<RowView>,
}

/// A price, and how many are wanted at it.
pub(super) struct TierView {
    pub(super) field: String,
    pub(super) name: String,
    pub(super) price: Money,
    /// Why it cannot be ordered now.
    pub(super) closed: Option<String>,
    /// How many are wanted, as it was written.
    pub(super) value: String,
    /// Most that make sense.
    pub(super) most: u32,
}

/// A row of seats.
pub(super) struct RowView {
    pub(super) name: String,
    pub(super) seats: Vec<SeatView>,
}

/// A seat. Its name tells all that its looks tell.
pub(super) struct SeatView {
    pub(super) id: SeatId,
    pub(super) number: u32,
    pub(super) place: String,
    pub(super) is_free: bool,
    pub(super) is_picked: bool,
}

/// What is the same for all sections of a page.
#[derive(Clone, Copy)]
pub(super) struct Offer<'a> {
    pub(super) selection: &'a Selection,
    pub(super) picked: &'a BTreeSet<SeatId>,
    pub(super) now: Timestamp,
    pub(super) zone: &'a str,
    pub(super) most: u32,
}

impl SectionView {
    pub(super) fn new(places: &SectionPlaces, offer: Offer<'_>) -> Self {
        let SectionPlaces { listed, counts, .. } = places;
        let is_seated = listed.kind == SectionKind::Seated;
        let tier = |tier: &Tier| TierView::new(tier, counts.free, offer);
        Self {
            id: listed.id,
            name: listed.name.clone(),
            is_seated,
            free: counts.free,
            tiers: listed.tiers.iter().map(tier).collect(),
            rows: if listed.capacity <= MOST_SEATS { rows(listed, counts, offer.picked) } else { Vec::new() },
        }
    }

    /// What a seat costs, in few words.
    pub(super) fn price(&self) -> String {
        let lowest = self.tiers.iter().map(|tier| tier.price).min_by_key(|price| price.amount);
        let lowest = lowest.map(|price| price.to_string()).unwrap_or_default();
        if self.tiers.len() > 1 { format!("from {lowest}") } else { lowest }
    }

    pub(super) fn has_picked(&self) -> bool {
        self.rows.iter().flat_map(|row| &row.seats).any(|seat| seat.is_picked)
    }
}

impl TierView {
    fn new(tier: &Tier, free: u32, Offer { selection, now, zone, most, .. }: Offer<'_>) -> Self {
        let from = tier.sales_start.filter(|start| now < *start).map(|start| When::new(start, zone));
        let closed = match from {
            Some(when) => Some(format!("on sale from {} {}", when.date_and_time(), when.zone())),
            None => (!tier.is_sold_at(now)).then(|| "no longer sold".to_owned()),
        };
        Self {
            field: field_of(tier.id),
            name: tier.name.clone(),
            price: tier.price,
            closed,
            value: selection.written(tier.id).to_owned(),
            most: most.min(free),
        }
    }
}

impl SeatView {
    /// `Row C seat 12, 45.00 EUR, available`.
    pub(super) fn name(&self, section: &SectionView) -> String {
        let state = if self.is_free { "available" } else { "taken" };
        format!("{}, {}, {state}", self.place, section.price())
    }
}

fn rows(section: &Section, counts: &Counts, picked: &BTreeSet<SeatId>) -> Vec<RowView> {
    let mut seats = section.seats().zip(counts.seats.states()).map(|(seat, state)| {
        let is_free = state == SeatState::Free;
        let place = format!("Row {} seat {}", seat.row, seat.number);
        let is_picked = is_free && picked.contains(&seat.id);
        SeatView { id: seat.id, number: seat.number, place, is_free, is_picked }
    });
    let row = |row: &crate::show::SeatRow| RowView {
        name: row.name.clone(),
        seats: seats.by_ref().take(row.seats as usize).collect(),
    };
    section.rows.iter().map(row).collect()
}
