//! The seats of a section as a table: a row for each row, a checkbox for each seat that is free.

use super::selection::Selection;
use super::selection::field_of;
use super::told::When;
use crate::inventory::views::SectionPlaces;
use crate::inventory::{Counts, SeatState};
use crate::shared::{Money, SeatId, SectionId};
use crate::show::{Listing, Section, SectionKind, Tier};
use composable_rust::prelude::*;
use std::collections::BTreeSet;

/// Most seats of a show that are shown one by one; in larger ones people get the best together.
const MOST_SEATS: u32 = 5_000;

/// Whether a show's seats are shown one by one.
pub(super) fn are_seats_shown(listing: &Listing) -> bool {
    let seated = listing.sections.iter().filter(|section| section.kind == SectionKind::Seated);
    seated.fold(0, |sum: u32, section| sum.saturating_add(section.capacity)) <= MOST_SEATS
}

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
    pub(super) are_seats_shown: bool,
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
            rows: if offer.are_seats_shown { rows(listed, counts, offer.picked) } else { Vec::new() },
        }
    }

    /// What a seat costs now, in few words.
    fn price(&self) -> String {
        let open = || self.tiers.iter().filter(|tier| tier.closed.is_none()).map(|tier| tier.price);
        match open().min_by_key(|price| price.amount) {
            Some(lowest) if open().nth(1).is_some() => format!("from {lowest}"),
            Some(only) => only.to_string(),
            None => "not on sale".to_owned(),
        }
    }

    /// Whether one of its prices is on sale.
    pub(super) fn is_open(&self) -> bool {
        self.tiers.iter().any(|tier| tier.closed.is_none())
    }

    /// Whether something of it can be ordered.
    pub(super) fn is_left(&self) -> bool {
        self.free > 0 && self.is_open()
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
