//! How an order stands.

use crate::shared::{
    Line, Money, PaymentId, Places, QuotaId, RefundId, Seat, SectionId, ShowId, Ticket, TicketId, TierId,
    TierSales,
};
use composable_rust::prelude::*;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// An order of one customer.
#[derive(Debug, Clone, Default, PartialEq, State)]
pub struct Reservation {
    /// What was ordered; there from the first event on.
    pub order: Option<Order>,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// Where it stands.
    pub status: ReservationStatus,
    /// The payment that is under way, or that paid it.
    pub payment: Option<PaymentId>,
    /// How often it was tried to pay.
    pub attempts: u32,
    /// How often the hold was extended.
    pub extensions: u32,
    /// What the customer bought.
    pub tickets: Vec<Ticket>,
    /// Whether its show is cancelled.
    pub is_called_off: bool,
    /// Refunds under way; their tickets are in no other.
    pub refunds: Vec<TicketRefund>,
    /// Tickets that were given back.
    pub refunded: BTreeSet<TicketId>,
}

impl Reservation {
    /// The tickets that can be given back: neither were they, nor are they being.
    pub fn refundable(&self) -> impl Iterator<Item = &Ticket> {
        let is_under_way = |id: &TicketId| self.refunds.iter().any(|refund| refund.tickets.contains(id));
        self.tickets
            .iter()
            .filter(move |ticket| !self.refunded.contains(&ticket.id) && !is_under_way(&ticket.id))
    }
}

/// Tickets that are given back for their money.
#[derive(Debug, Clone, PartialEq, Data)]
pub struct TicketRefund {
    /// Its id, also at the gateway.
    pub id: RefundId,
    /// What paid them.
    pub payment: PaymentId,
    /// Where their places count.
    pub quota: QuotaId,
    /// Which tickets.
    pub tickets: Vec<TicketId>,
    /// Their places.
    pub places: BTreeMap<SectionId, Places>,
    /// What they cost.
    pub amount: Money,
    /// The same, tier by tier.
    pub sales: BTreeMap<TierId, TierSales>,
    /// What the organiser says about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl TicketRefund {
    /// How many places it frees.
    pub fn quantity(&self) -> u32 {
        self.places.values().fold(0, |sum, places| sum.saturating_add(places.quantity))
    }
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Label)]
pub enum ReservationStatus {
    /// Not placed yet.
    #[default]
    Unplaced,
    /// Its places wait to be paid.
    Held,
    /// A payment is under way.
    Paying,
    /// Paid; there are tickets.
    Completed,
    /// Not paid in time.
    Expired,
    /// Given up by the customer.
    Cancelled,
    /// All its tickets were given back.
    Refunded,
    /// Some of its tickets were given back.
    PartiallyRefunded,
}

impl ReservationStatus {
    /// Whether it was paid in time, whatever became of it since.
    pub const fn is_paid(self) -> bool {
        matches!(self, Self::Completed | Self::Refunded | Self::PartiallyRefunded)
    }
}

/// What is ordered, at the server's prices.
#[derive(Debug, Clone, PartialEq, Data)]
pub struct Order {
    /// Of which show.
    pub show: ShowId,
    /// Whose.
    pub customer: UserId,
    /// What.
    pub lines: Vec<Line>,
    /// What it costs.
    pub total: Money,
    /// Until when its places are held.
    pub until: Timestamp,
}

impl Order {
    /// How many places.
    pub fn places(&self) -> u32 {
        self.lines.iter().fold(0, |sum, line| sum.saturating_add(line.quantity))
    }

    /// Gives each line the seats that its section chose for this order: the lines that named theirs keep them.
    pub fn sit(&mut self, chosen: &BTreeMap<SectionId, Vec<Seat>>) {
        for (section, seats) in chosen {
            let of_section = |line: &&mut Line| line.section_id == *section;
            let named = self.lines.iter().filter(|line| line.section_id == *section);
            let named: BTreeSet<_> = named.flat_map(|line| &line.seats).map(|seat| seat.id).collect();
            let mut rest = seats.iter().filter(|seat| !named.contains(&seat.id)).cloned();
            for line in self.lines.iter_mut().filter(of_section).filter(|line| line.seats.is_empty()) {
                line.seats = rest.by_ref().take(line.quantity as usize).collect();
            }
        }
    }
}
