//! `/api/events/{id}/sales`: what the organiser has sold.

use crate::reservation::views::{SalesList, SoldTier};
use crate::shared::{Currency, Money, SectionId, ShowId, TierId};
use crate::show::{Section, Tier, event_to_manage};
use axum::Json;
use axum::extract::State;
use composable_rust::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

/// Most tiers of a show: fifty sections of ten, and some that were added later.
const MOST_TIERS: u32 = 1_000;

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct SalesBody {
    event_id: ShowId,
    position: Position,
    #[serde(flatten)]
    total: Sum,
    sections: Vec<SectionSales>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SectionSales {
    id: SectionId,
    name: String,
    #[serde(flatten)]
    total: Sum,
    tiers: Vec<TierSalesBody>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct TierSalesBody {
    id: TierId,
    name: String,
    #[serde(flatten)]
    total: Sum,
}

/// Tickets that were sold, those of them that went back, and the money that stayed.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
struct Sum {
    sold: u32,
    refunded: u32,
    revenue: Money,
}

impl Sum {
    /// All of them together.
    fn of(parts: impl Iterator<Item = Self>, currency: Currency) -> Self {
        let nothing = Self { sold: 0, refunded: 0, revenue: Money::zero(currency) };
        parts.fold(nothing, |sum, part| Self {
            sold: sum.sold.saturating_add(part.sold),
            refunded: sum.refunded.saturating_add(part.refunded),
            revenue: sum.revenue.plus(part.revenue).unwrap_or(sum.revenue),
        })
    }
}

pub(super) async fn sales(
    State(app): State<Application>,
    principal: Principal,
    PathId(id): PathId<ShowId>,
    min_position: MinPosition,
) -> Result<Json<SalesBody>, Problem> {
    let show = event_to_manage(&app, id, &principal).await?.state;
    let listing = show.listing.ok_or_else(Problem::internal)?;
    let rows = min_position.of(app.view::<SalesList>()).query().filter_eq("show", id);
    let page = rows.page(1, MOST_TIERS).fetch().await?;
    let currency = listing.currency;
    let sections: Vec<_> =
        listing.sections.into_iter().map(|section| of_section(section, &page.items, currency)).collect();
    let total = Sum::of(sections.iter().map(|section| section.total), currency);
    Ok(Json(SalesBody { event_id: id, position: page.position, total, sections }))
}

fn of_section(section: Section, rows: &[SoldTier], currency: Currency) -> SectionSales {
    let of_tier = |Tier { id, name, .. }: Tier| {
        let row = rows.iter().filter(|row| row.tier == id);
        let sums = row.map(|row| Sum { sold: row.sold, refunded: row.refunded, revenue: row.revenue });
        TierSalesBody { id, name, total: Sum::of(sums, currency) }
    };
    let tiers: Vec<_> = section.tiers.into_iter().map(of_tier).collect();
    let total = Sum::of(tiers.iter().map(|tier| tier.total), currency);
    SectionSales { id: section.id, name: section.name, total, tiers }
}
