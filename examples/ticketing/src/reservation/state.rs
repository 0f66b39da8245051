//! How an order stands.

use crate::shared::{Line, Money, PaymentId, Seat, SectionId, ShowId, Ticket};
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
