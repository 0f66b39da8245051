//! How the places of a section stand, and who holds which.

use super::{Counts, SeatState};
use crate::shared::{Places, ReservationId, ShowId};
use composable_rust::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// The places of one section. Only holds are kept one by one: what is sold stays small however much is sold.
#[derive(Debug, Clone, Default, PartialEq, State)]
#[state(schema = 2)]
pub struct Inventory {
    /// The show it belongs to; there from the first event on.
    pub show: Option<ShowId>,
    /// Whether places can be held.
    pub is_on_sale: bool,
    /// Whether it is over for good.
    pub is_cancelled: bool,
    /// How many places stand how.
    pub counts: Counts,
    /// Who holds what.
    pub holds: BTreeMap<ReservationId, Places>,
}

impl Inventory {
    /// Every place is in one state and in one only, and the holds add up too; looks at each seat and each hold.
    pub fn is_sound(&self) -> bool {
        let held: u64 = self.holds.values().map(|places| u64::from(places.quantity)).sum();
        let agree = self.counts.seats.is_empty() || self.held_seats_agree();
        self.counts.are_sound() && u64::from(self.counts.held) == held && agree
    }

    /// The seats that are held are in one hold each.
    fn held_seats_agree(&self) -> bool {
        let held: BTreeSet<_> = self.holds.values().flat_map(|places| &places.seats).collect();
        let all_held = held.iter().all(|place| self.counts.seats.state(**place) == Some(SeatState::Held));
        held.len() == self.counts.held as usize && all_held
    }
}
