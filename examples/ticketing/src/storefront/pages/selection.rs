//! What somebody has chosen on a show's page: fields of a form in, lines of an order out.
//!
//! Whether it may be ordered is the show's to say, and its sections'.

use crate::shared::{SeatId, ShowId, TierId};
use crate::show::{Listing, Section, SectionKind, Wanted};
use composable_rust::prelude::*;
use serde::Deserialize;
use std::collections::BTreeSet;

/// The fields of the form: `tier-<id>` says how many of a tier, `seat` which seats.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Selection(Vec<(String, String)>);

impl Validate for Selection {}

/// Something that is wrong with a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// The field that it is about, by its id.
    pub(super) field: String,
    /// What to do about it.
    pub(super) text: String,
}

/// The lines of an order, each with the field that it comes from.
type Lines = Vec<(String, Wanted)>;

impl Selection {
    /// How many of this tier, as it was written.
    pub(super) fn written(&self, tier: TierId) -> &str {
        let name = field_of(tier);
        self.0.iter().find(|(own, _)| *own == name).map_or("", |(_, value)| value.trim())
    }

    /// Which seats.
    pub(super) fn seats(&self) -> BTreeSet<SeatId> {
        self.0.iter().filter(|(name, _)| name == "seat").filter_map(|(_, id)| id.parse().ok()).collect()
    }

    /// The page of the show with this chosen already.
    pub(super) fn link(&self, show: ShowId) -> String {
        let chosen = self.0.iter().filter(|(name, _)| name == "seat" || name.starts_with("tier-"));
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(chosen).finish();
        format!("/events/{show}?{query}")
    }

    /// What is ordered, or everything that cannot be understood.
    pub(super) fn lines(&self, listing: &Listing, now: Timestamp) -> Result<Lines, Vec<Fault>> {
        let (mut lines, mut faults) = (Lines::new(), Vec::new());
        for section in &listing.sections {
            match self.lines_of(section, now) {
                Ok(found) => lines.extend(found),
                Err(found) => faults.extend(found),
            }
        }
        let first = listing.sections.iter().flat_map(|section| &section.tiers).next();
        if let (true, true, Some(tier)) = (lines.is_empty(), faults.is_empty(), first) {
            faults.push(Fault { field: field_of(tier.id), text: "Choose at least one ticket.".into() });
        }
        if faults.is_empty() { Ok(lines) } else { Err(faults) }
    }

    /// Seats that are picked are shared out over the tiers in their order; without numbers all are of the first that is sold now.
    fn lines_of(&self, section: &Section, now: Timestamp) -> Result<Lines, Vec<Fault>> {
        let mut wanted = self.quantities(section)?;
        let mut seats: Vec<_> = self.seats().into_iter().filter(|seat| is_in(*seat, section)).collect();
        if seats.is_empty() {
            let line = |(tier, quantity)| line(section, tier, Some(quantity), None);
            return Ok(wanted.into_iter().map(line).collect());
        }
        let first = section.tiers.iter().find(|tier| tier.is_sold_at(now)).or(section.tiers.first());
        let asked: usize = wanted.iter().map(|(_, quantity)| *quantity as usize).sum();
        if let (0, Some(tier)) = (asked, first) {
            return Ok(vec![line(section, tier.id, None, Some(seats))]);
        }
        if asked != seats.len() {
            let text = format!(
                "{}: you picked {} and asked for {}. Make the numbers match, or clear your seats.",
                section.name,
                count(seats.len(), "seat"),
                count(asked, "ticket"),
            );
            let field = first.map(|tier| field_of(tier.id)).unwrap_or_default();
            return Err(vec![Fault { field, text }]);
        }
        let share = |(tier, quantity): (TierId, u32)| {
            let rest = seats.split_off(quantity as usize);
            line(section, tier, None, Some(std::mem::replace(&mut seats, rest)))
        };
        Ok(wanted.drain(..).map(share).collect())
    }

    /// The tiers of which something is wanted.
    fn quantities(&self, section: &Section) -> Result<Vec<(TierId, u32)>, Vec<Fault>> {
        let (mut wanted, mut faults) = (Vec::new(), Vec::new());
        for tier in &section.tiers {
            let written = self.written(tier.id);
            if written.is_empty() {
                continue;
            }
            match written.parse() {
                Ok(0) => {}
                Ok(quantity) => wanted.push((tier.id, quantity)),
                Err(_) => {
                    let text = format!("{}: write how many as a whole number, such as 2.", tier.name);
                    faults.push(Fault { field: field_of(tier.id), text });
                }
            }
        }
        if faults.is_empty() { Ok(wanted) } else { Err(faults) }
    }
}

/// The name and id of a tier's field.
pub(super) fn field_of(tier: TierId) -> String {
    format!("tier-{tier}")
}

/// `1 seat`, `2 seats`.
fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

fn is_in(seat: SeatId, section: &Section) -> bool {
    section.kind == SectionKind::Seated && seat.place_in(section.id).is_some()
}

fn line(
    section: &Section,
    tier_id: TierId,
    quantity: Option<u32>,
    seat_ids: Option<Vec<SeatId>>,
) -> (String, Wanted) {
    (field_of(tier_id), Wanted { section_id: section.id, tier_id, quantity, seat_ids })
}
