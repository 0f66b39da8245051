//! What an inventory allows.

use super::{Inventory, InventoryAction, InventoryCommand, InventoryEvent};
use crate::shared::ReservationId;
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
            Command::Initialise { show, capacity } if self.show.is_none() => {
                Ok(vec![InventoryEvent::Initialised { show, capacity }])
            }
            Command::Initialise { .. } => Err(InventoryRefused::WrongState),
            Command::OpenSales if self.show.is_none() => Err(InventoryRefused::WrongState),
            Command::OpenSales if self.is_on_sale => Ok(Vec::new()),
            Command::OpenSales => Ok(vec![InventoryEvent::SalesOpened]),
            Command::CloseSales if self.is_on_sale => Ok(vec![InventoryEvent::SalesClosed]),
            Command::CloseSales => Ok(Vec::new()),
            Command::Hold { .. } if !self.is_on_sale => Err(InventoryRefused::SalesClosed),
            Command::Hold { reservation, quantity } => {
                self.check_free(reservation, quantity)?;
                Ok(vec![InventoryEvent::SeatsHeld { reservation, quantity }])
            }
            Command::Retake { reservation, quantity } => {
                self.check_free(reservation, quantity)?;
                Ok(vec![InventoryEvent::SeatsRetaken { reservation, quantity }])
            }
            Command::Confirm { reservation } => Ok(self.end(reservation, |reservation, quantity| {
                InventoryEvent::SeatsSold { reservation, quantity }
            })),
            Command::Release { reservation } => Ok(self.end(reservation, |reservation, quantity| {
                InventoryEvent::SeatsReleased { reservation, quantity }
            })),
        }
    }

    fn evolve(&mut self, event: &InventoryEvent) {
        match *event {
            InventoryEvent::Initialised { show, capacity } => {
                self.show = Some(show);
                self.capacity = capacity;
                self.free = capacity;
            }
            InventoryEvent::SalesOpened => self.is_on_sale = true,
            InventoryEvent::SalesClosed => self.is_on_sale = false,
            InventoryEvent::SeatsHeld { reservation, quantity }
            | InventoryEvent::SeatsRetaken { reservation, quantity } => self.hold(reservation, quantity),
            InventoryEvent::SeatsSold { reservation, quantity } => {
                self.end_hold(reservation, quantity);
                self.sold = self.sold.saturating_add(quantity);
            }
            InventoryEvent::SeatsReleased { reservation, quantity } => {
                self.end_hold(reservation, quantity);
                self.free = self.free.saturating_add(quantity);
            }
        }
        debug_assert!(self.is_balanced(), "places were lost or made up: {self:?}");
    }
}

impl Inventory {
    /// One reservation holds at most once, and never more than is free.
    fn check_free(&self, reservation: ReservationId, quantity: u32) -> Result<(), InventoryRefused> {
        match () {
            () if quantity == 0 || self.holds.contains_key(&reservation) => Err(InventoryRefused::WrongState),
            () if quantity > self.free => Err(InventoryRefused::SeatsUnavailable { available: self.free }),
            () => Ok(()),
        }
    }

    /// The end of the reservation's hold; nothing when it holds nothing, so that a repeat changes nothing.
    fn end(
        &self,
        reservation: ReservationId,
        how: fn(ReservationId, u32) -> InventoryEvent,
    ) -> Vec<InventoryEvent> {
        self.holds.get(&reservation).map(|quantity| how(reservation, *quantity)).into_iter().collect()
    }
}
