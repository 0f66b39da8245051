//! How the places of a section stand.

use crate::shared::{ReservationId, ShowId};
use composable_rust::prelude::*;
use std::collections::BTreeMap;

/// The places of one section. Only holds are kept one by one: what is sold stays small however much is sold.
#[derive(Debug, Clone, Default, PartialEq, State)]
pub struct Inventory {
    /// The show it belongs to; there from the first event on.
    pub show: Option<ShowId>,
    /// Whether places can be held.
    pub is_on_sale: bool,
    /// All places.
    pub capacity: u32,
    /// Places that anybody may take.
    pub free: u32,
    /// Places that somebody may pay.
    pub held: u32,
    /// Places that somebody has paid.
    pub sold: u32,
    /// Places that the organiser keeps back.
    pub blocked: u32,
    /// Who holds how many.
    pub holds: BTreeMap<ReservationId, u32>,
}

impl Inventory {
    /// Every place is in one state and in one only.
    pub fn is_balanced(&self) -> bool {
        let places = [self.free, self.held, self.sold, self.blocked].into_iter().map(u64::from);
        u64::from(self.capacity) == places.sum::<u64>()
    }

    /// As [`Self::is_balanced`], and the holds add up too; looks at each hold.
    pub fn is_sound(&self) -> bool {
        let held: u64 = self.holds.values().copied().map(u64::from).sum();
        self.is_balanced() && u64::from(self.held) == held
    }

    pub(super) fn hold(&mut self, reservation: ReservationId, quantity: u32) {
        self.free = self.free.saturating_sub(quantity);
        self.held = self.held.saturating_add(quantity);
        self.holds.insert(reservation, quantity);
    }

    /// Ends a hold; the places are in no state until the caller says in which.
    pub(super) fn end_hold(&mut self, reservation: ReservationId, quantity: u32) {
        self.held = self.held.saturating_sub(quantity);
        self.holds.remove(&reservation);
    }
}
