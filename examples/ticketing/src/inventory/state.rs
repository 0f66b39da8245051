//! How the places of a section stand.

use super::{SeatState, Seats};
use crate::shared::{Places, ReservationId, ShowId};
use composable_rust::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

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
    /// How each seat stands, where they are numbered.
    pub seats: Seats,
    /// Who holds what.
    pub holds: BTreeMap<ReservationId, Places>,
}

impl Inventory {
    /// Every place is in one state and in one only.
    pub fn is_balanced(&self) -> bool {
        let places = [self.free, self.held, self.sold, self.blocked].into_iter().map(u64::from);
        u64::from(self.capacity) == places.sum::<u64>()
    }

    /// As [`Self::is_balanced`], and the holds add up too; looks at each hold.
    pub fn is_sound(&self) -> bool {
        let held: u64 = self.holds.values().map(|places| u64::from(places.quantity)).sum();
        self.is_balanced() && u64::from(self.held) == held && (self.seats.is_empty() || self.seats_agree())
    }

    /// The seats say what the numbers say, and those that are held are in one hold each.
    fn seats_agree(&self) -> bool {
        let count = |wanted| self.seats.states().filter(|state| *state == wanted).count();
        let states = [SeatState::Free, SeatState::Held, SeatState::Sold, SeatState::Blocked].map(count);
        let numbers = [self.free, self.held, self.sold, self.blocked].map(|places| places as usize);
        let held: BTreeSet<_> = self.holds.values().flat_map(|places| &places.seats).collect();
        let all_held = held.iter().all(|place| self.seats.state(**place) == Some(SeatState::Held));
        states == numbers && held.len() == numbers[1] && all_held
    }

    pub(super) fn hold(&mut self, reservation: ReservationId, places: &Places) {
        self.free = self.free.saturating_sub(places.quantity);
        self.held = self.held.saturating_add(places.quantity);
        self.seats.set(&places.seats, SeatState::Held);
        self.holds.insert(reservation, places.clone());
    }

    pub(super) fn sell(&mut self, reservation: ReservationId, places: &Places) {
        self.end_hold(reservation, places);
        self.sold = self.sold.saturating_add(places.quantity);
        self.seats.set(&places.seats, SeatState::Sold);
    }

    pub(super) fn release(&mut self, reservation: ReservationId, places: &Places) {
        self.end_hold(reservation, places);
        self.free = self.free.saturating_add(places.quantity);
        self.seats.set(&places.seats, SeatState::Free);
    }

    /// Ends a hold; the places are in no state until the caller says in which.
    fn end_hold(&mut self, reservation: ReservationId, places: &Places) {
        self.held = self.held.saturating_sub(places.quantity);
        self.holds.remove(&reservation);
    }
}
