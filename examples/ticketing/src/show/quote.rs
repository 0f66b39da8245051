//! What an order would cost: the server's prices, never the client's.

use super::{Listing, Show, ShowRefused, ShowStatus};
use crate::shared::{Line, Money, SectionId, TierId, Violations, total_of};
use composable_rust::prelude::*;
use jiff::Timestamp;

/// Some places that a customer wants.
#[derive(Debug, Clone, PartialEq, Eq, Data)]
pub struct Wanted {
    /// Where.
    pub section_id: SectionId,
    /// At which price.
    pub tier_id: TierId,
    /// How many.
    pub quantity: u32,
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
        let places: u64 = wanted.iter().map(|line| u64::from(line.quantity)).sum();
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
    let mut wrong = Violations::default();
    wrong.count(wanted.len(), 1, 10, "/lines");
    for (index, line) in wanted.iter().enumerate() {
        wrong.check(line.quantity > 0, format!("/lines/{index}/quantity"), "out_of_range", "at least 1");
        let section = listing.sections.iter().find(|section| section.id == line.section_id);
        let has_tier = section.map(|section| section.tiers.iter().any(|tier| tier.id == line.tier_id));
        let (at, detail) = (format!("/lines/{index}"), "the event has no such section");
        wrong.check(has_tier.is_some(), format!("{at}/section_id"), "unknown", detail);
        let detail = "the section has no such tier";
        wrong.check(has_tier != Some(false), format!("{at}/tier_id"), "unknown", detail);
    }
    wrong.into_result(|errors| ShowRefused::Invalid { errors })
}

/// The line at its price; `None` when it is not sold at this moment.
fn priced(listing: &Listing, wanted: &Wanted, now: Timestamp) -> Option<Line> {
    let section = listing.sections.iter().find(|section| section.id == wanted.section_id)?;
    let tier = section.tiers.iter().find(|tier| tier.id == wanted.tier_id && tier.is_sold_at(now))?;
    Some(Line {
        section_id: section.id,
        section: section.name.clone(),
        tier_id: tier.id,
        tier: tier.name.clone(),
        quantity: wanted.quantity,
        price: tier.price,
    })
}
