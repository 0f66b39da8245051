//! What was sold of each tier, and what went back.

use crate::reservation::ReservationEvent;
use crate::shared::{Money, SectionId, ShowId, TierId, TierSales, sales_of};
use composable_rust::prelude::*;

/// The sales of all tiers. A tier of which nothing was sold has no row.
#[derive(Debug)]
pub struct SalesList;

/// The sales of one tier.
#[derive(Debug, Clone, PartialEq, Row)]
#[row(key = "tier", index = "show")]
pub struct SoldTier {
    /// Which tier.
    pub tier: TierId,
    /// Of which section.
    pub section: SectionId,
    /// Of which show.
    pub show: ShowId,
    /// Tickets that were sold.
    pub sold: u32,
    /// How many of them went back, or are about to.
    pub refunded: u32,
    /// What was paid for them, less what went back.
    pub revenue: Money,
}

impl Projection for SalesList {
    type Event = ReservationEvent;
    type Row = SoldTier;
    const NAME: &'static str = "sales";

    fn project(&self, event: &Recorded<ReservationEvent>, rows: &mut Rows<SoldTier>) {
        match &event.body {
            ReservationEvent::Completed { show, tickets, .. } => {
                for (tier, sales) in sales_of(tickets) {
                    rows.upsert(tier, || SoldTier::new(*show, tier, &sales), |row| row.sell(&sales));
                }
            }
            // From here on nothing keeps the money from going back.
            ReservationEvent::RefundStarted(refund) => {
                for (tier, sales) in &refund.sales {
                    rows.update(tier, |row| row.give_back(sales));
                }
            }
            ReservationEvent::Placed { .. }
            | ReservationEvent::Extended { .. }
            | ReservationEvent::PaymentStarted { .. }
            | ReservationEvent::PaymentFailed { .. }
            | ReservationEvent::Cancelled
            | ReservationEvent::Expired
            | ReservationEvent::CalledOff { .. }
            | ReservationEvent::Refunded { .. } => {}
        }
    }
}

impl SoldTier {
    fn new(show: ShowId, tier: TierId, sales: &TierSales) -> Self {
        let revenue = Money::zero(sales.amount.currency);
        Self { tier, section: sales.section_id, show, sold: 0, refunded: 0, revenue }
    }

    fn sell(&mut self, sales: &TierSales) {
        self.sold = self.sold.saturating_add(sales.quantity);
        self.revenue = self.revenue.plus(sales.amount).unwrap_or(self.revenue);
    }

    fn give_back(&mut self, sales: &TierSales) {
        self.refunded = self.refunded.saturating_add(sales.quantity);
        self.revenue = self.revenue.minus(sales.amount).unwrap_or(self.revenue);
    }
}
