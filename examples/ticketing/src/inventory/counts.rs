//! How many places of a section stand how, and which seats: counted in one place, for the aggregate and for the view.

use super::{InventoryEvent, SeatState, Seats};
use crate::shared::Places;
use composable_rust::prelude::*;

/// How the places of a section stand.
#[derive(Debug, Clone, Default, PartialEq, Data)]
pub struct Counts {
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
}

impl Counts {
    /// Free places, in rows of these lengths where seats are numbered.
    pub fn new(capacity: u32, rows: &[u32]) -> Self {
        Self { capacity, free: capacity, seats: Seats::new(rows), ..Self::default() }
    }

    /// Every place is in one state and in one only.
    pub fn are_balanced(&self) -> bool {
        let places = [self.free, self.held, self.sold, self.blocked].into_iter().map(u64::from);
        u64::from(self.capacity) == places.sum::<u64>()
    }

    /// As [`Self::are_balanced`], and the seats say what the numbers say; looks at each seat.
    pub fn are_sound(&self) -> bool {
        let count = |wanted| self.seats.states().filter(|state| *state == wanted).count();
        let states = [SeatState::Free, SeatState::Held, SeatState::Sold, SeatState::Blocked].map(count);
        let numbers = [self.free, self.held, self.sold, self.blocked].map(|places| places as usize);
        self.are_balanced() && (self.seats.is_empty() || states == numbers)
    }

    /// Counts what has happened.
    pub fn apply(&mut self, event: &InventoryEvent) {
        use SeatState::{Blocked, Free, Held, Sold};
        match event {
            InventoryEvent::Initialised { capacity, rows, .. } => *self = Self::new(*capacity, rows),
            InventoryEvent::SeatsHeld { places, .. } | InventoryEvent::SeatsRetaken { places, .. } => {
                self.turn(places, Free, Held);
            }
            InventoryEvent::SeatsSold { places, .. } => self.turn(places, Held, Sold),
            InventoryEvent::SeatsReturned { places, .. } => self.turn(places, Sold, Free),
            InventoryEvent::SeatsReleased { places, .. } => self.turn(places, Held, Free),
            InventoryEvent::SeatsBlocked { places } => self.turn(places, Free, Blocked),
            InventoryEvent::SeatsUnblocked { places } => self.turn(places, Blocked, Free),
            InventoryEvent::CapacityAdded { quantity } => {
                self.capacity = self.capacity.saturating_add(*quantity);
                self.free = self.free.saturating_add(*quantity);
            }
            // Sales change nothing about how many there are.
            InventoryEvent::SalesOpened | InventoryEvent::SalesClosed | InventoryEvent::Cancelled => {}
        }
    }

    fn turn(&mut self, places: &Places, from: SeatState, to: SeatState) {
        let before = self.count(from);
        *before = before.saturating_sub(places.quantity);
        let after = self.count(to);
        *after = after.saturating_add(places.quantity);
        self.seats.set(&places.seats, to);
    }

    const fn count(&mut self, state: SeatState) -> &mut u32 {
        match state {
            SeatState::Free => &mut self.free,
            SeatState::Held => &mut self.held,
            SeatState::Sold => &mut self.sold,
            SeatState::Blocked => &mut self.blocked,
        }
    }
}
