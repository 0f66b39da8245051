//! What an inventory allows.

use super::{Inventory, InventoryAction, InventoryCommand, InventoryEvent, SeatState};
use crate::shared::{Places, ReservationId};
use composable_rust::prelude::*;

/// Why an inventory refuses.
#[derive(Debug, Clone, PartialEq, Eq, Rejection)]
pub enum InventoryRefused {
    /// Fewer places are free.
    #[rejection(message = "only {available} of the places asked for are available")]
    SeatsUnavailable {
        /// How many are free.
        available: u32,
    },
    /// Not so many are blocked, or not these.
    #[rejection(code = "wrong_state", message = "these are not blocked; {blocked} places are")]
    NotBlocked {
        /// How many are.
        blocked: u32,
    },
    /// Nothing is sold now.
    #[rejection(message = "this is not on sale now")]
    SalesClosed,
    /// Not in this state: not initialised, or twice.
    #[rejection(message = "the inventory is not in a state that allows this")]
    WrongState,
}

impl Decider for Inventory {
    type Action = InventoryAction;
    type Rejection = InventoryRefused;

    fn decide(&self, command: InventoryCommand, _: &Context) -> Decision<Self> {
        use InventoryCommand as Command;
        match command {
            Command::Initialise { show, capacity, rows } if self.show.is_none() => {
                Ok(vec![InventoryEvent::Initialised { show, capacity, rows }])
            }
            Command::InitialiseOnSale { show, capacity, rows } if self.show.is_none() => {
                Ok(vec![InventoryEvent::Initialised { show, capacity, rows }, InventoryEvent::SalesOpened])
            }
            Command::Initialise { .. } | Command::InitialiseOnSale { .. } => {
                Err(InventoryRefused::WrongState)
            }
            Command::OpenSales | Command::Adjust { .. } if self.show.is_none() => {
                Err(InventoryRefused::WrongState)
            }
            Command::Cancel if self.show.is_none() || self.is_cancelled => Ok(Vec::new()),
            Command::Cancel => Ok(vec![InventoryEvent::Cancelled]),
            Command::OpenSales | Command::Adjust { .. } | Command::Retake { .. } if self.is_cancelled => {
                Err(InventoryRefused::SalesClosed)
            }
            Command::OpenSales if self.is_on_sale => Ok(Vec::new()),
            Command::OpenSales => Ok(vec![InventoryEvent::SalesOpened]),
            Command::CloseSales if self.is_on_sale => Ok(vec![InventoryEvent::SalesClosed]),
            Command::CloseSales => Ok(Vec::new()),
            Command::Adjust { add, unblock, block } => self.adjust(add, unblock, block),
            Command::Hold { .. } if !self.is_on_sale => Err(InventoryRefused::SalesClosed),
            Command::Hold { reservation, places } => {
                let places = self.choose(reservation, places)?;
                Ok(vec![InventoryEvent::SeatsHeld { reservation, places }])
            }
            Command::Retake { reservation, places } => {
                let places = self.choose(reservation, places)?;
                Ok(vec![InventoryEvent::SeatsRetaken { reservation, places }])
            }
            Command::Confirm { reservation } => Ok(self
                .end(reservation, |reservation, places| InventoryEvent::SeatsSold { reservation, places })),
            Command::Release { reservation } => Ok(self.end(reservation, |reservation, places| {
                InventoryEvent::SeatsReleased { reservation, places }
            })),
            Command::TakeBack { reservation, places } => self.take_back(reservation, places),
        }
    }

    fn evolve(&mut self, event: &InventoryEvent) {
        self.counts.apply(event);
        match event {
            InventoryEvent::Initialised { show, .. } => self.show = Some(*show),
            InventoryEvent::SalesOpened => self.is_on_sale = true,
            InventoryEvent::SalesClosed => self.is_on_sale = false,
            InventoryEvent::Cancelled => (self.is_on_sale, self.is_cancelled) = (false, true),
            InventoryEvent::SeatsHeld { reservation, places }
            | InventoryEvent::SeatsRetaken { reservation, places } => {
                self.holds.insert(*reservation, places.clone());
            }
            InventoryEvent::SeatsSold { reservation, .. }
            | InventoryEvent::SeatsReleased { reservation, .. } => {
                self.holds.remove(reservation);
            }
            InventoryEvent::SeatsReturned { .. }
            | InventoryEvent::CapacityAdded { .. }
            | InventoryEvent::SeatsBlocked { .. }
            | InventoryEvent::SeatsUnblocked { .. } => {}
        }
        debug_assert!(self.counts.are_balanced(), "places were lost or made up: {self:?}");
    }
}

impl Inventory {
    /// The places that a reservation gets: the seats that it names, and for the rest the best. All or none; one
    /// reservation holds at most once.
    fn choose(&self, reservation: ReservationId, wanted: Places) -> Result<Places, InventoryRefused> {
        if wanted.quantity == 0 || self.holds.contains_key(&reservation) {
            return Err(InventoryRefused::WrongState);
        }
        self.take(wanted)
    }

    /// Free places: the seats that are named, and for the rest the best.
    fn take(&self, wanted: Places) -> Result<Places, InventoryRefused> {
        let Places { quantity, seats: named } = wanted;
        let more = quantity.saturating_sub(u32::try_from(named.len()).unwrap_or(u32::MAX));
        let is_free = |place: &&u32| self.counts.seats.state(**place) == Some(SeatState::Free);
        let available = named.iter().filter(is_free).count();
        match () {
            () if available < named.len() => {
                Err(InventoryRefused::SeatsUnavailable { available: u32::try_from(available).unwrap_or(0) })
            }
            () if quantity > self.counts.free => {
                Err(InventoryRefused::SeatsUnavailable { available: self.counts.free })
            }
            () if self.counts.seats.is_empty() || more == 0 => Ok(Places { quantity, seats: named }),
            () => {
                let mut rest = self.counts.seats.clone();
                rest.set(&named, SeatState::Held);
                Ok(Places { quantity, seats: [named, rest.best(more)].concat() })
            }
        }
    }

    /// Sold places become free. What is still held was paid, as there are tickets for it: it is sold first.
    fn take_back(&self, reservation: ReservationId, places: Places) -> Decision<Self> {
        let mut events =
            self.end(reservation, |reservation, places| InventoryEvent::SeatsSold { reservation, places });
        let mut counts = self.counts.clone();
        for event in &events {
            counts.apply(event);
        }
        let is_sold = |place: &u32| counts.seats.state(*place) == Some(SeatState::Sold);
        // Numbered seats are all named, and others never.
        let named = if counts.seats.is_empty() { 0 } else { places.quantity as usize };
        let is_some = (1..=counts.sold).contains(&places.quantity);
        if !is_some || places.seats.len() != named || !places.seats.iter().all(is_sold) {
            return Err(InventoryRefused::WrongState);
        }
        events.push(InventoryEvent::SeatsReturned { reservation, places });
        Ok(events)
    }

    /// What the organiser changes; each part rests on what the one before has made.
    fn adjust(&self, add: u32, unblock: Places, block: Places) -> Decision<Self> {
        let (mut after, mut events) = (self.clone(), Vec::new());
        let mut happened = |after: &mut Self, event: InventoryEvent| {
            after.evolve(&event);
            events.push(event);
        };
        if add > 0 {
            // Of numbered seats the rows say how many there are.
            if !self.counts.seats.is_empty() || self.counts.capacity.checked_add(add).is_none() {
                return Err(InventoryRefused::WrongState);
            }
            happened(&mut after, InventoryEvent::CapacityAdded { quantity: add });
        }
        if unblock.quantity > 0 {
            let places = after.give_back(unblock)?;
            happened(&mut after, InventoryEvent::SeatsUnblocked { places });
        }
        if block.quantity > 0 {
            let places = after.take(block)?;
            happened(&mut after, InventoryEvent::SeatsBlocked { places });
        }
        Ok(events)
    }

    /// Blocked places: the seats that are named, and for the rest the first.
    fn give_back(&self, wanted: Places) -> Result<Places, InventoryRefused> {
        let Places { quantity, seats: named } = wanted;
        let is_blocked = |place: &u32| self.counts.seats.state(*place) == Some(SeatState::Blocked);
        if quantity > self.counts.blocked || !named.iter().all(is_blocked) {
            return Err(InventoryRefused::NotBlocked { blocked: self.counts.blocked });
        }
        let others = (0_u32..).zip(self.counts.seats.states()).map(|(place, _)| place);
        let others = others.filter(|place| is_blocked(place) && !named.contains(place));
        let seats = named.iter().copied().chain(others).take(quantity as usize).collect();
        Ok(Places { quantity, seats })
    }

    /// The end of the reservation's hold; nothing when it holds nothing, so that a repeat changes nothing.
    fn end(
        &self,
        reservation: ReservationId,
        how: fn(ReservationId, Places) -> InventoryEvent,
    ) -> Vec<InventoryEvent> {
        self.holds.get(&reservation).map(|places| how(reservation, places.clone())).into_iter().collect()
    }
}
