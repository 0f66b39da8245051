//! The language of an inventory.
#![expect(missing_docs, reason = "the fields of commands and events are what they are called")]

use super::Inventory;
use crate::shared::{ReservationId, SectionId, ShowId};
use composable_rust::prelude::*;

/// What can be asked of an inventory, and what can happen to it.
#[derive(Debug, Clone, PartialEq, Action)]
#[action(category = "inventory", key = SectionId, decider = Inventory)]
pub enum InventoryAction {
    /// Begins with so many free places.
    #[command]
    Initialise { show: ShowId, capacity: u32 },
    /// Lets places be held.
    #[command]
    OpenSales,
    /// Lets no more places be held.
    #[command]
    CloseSales,
    /// Takes free places for a reservation.
    #[command]
    Hold { reservation: ReservationId, quantity: u32 },
    /// Takes free places again for a reservation whose money came late, even when sales have closed.
    #[command]
    Retake { reservation: ReservationId, quantity: u32 },
    /// Sells what the reservation holds. Nothing held: nothing happens.
    #[command]
    Confirm { reservation: ReservationId },
    /// Frees what the reservation holds. Nothing held: nothing happens.
    #[command]
    Release { reservation: ReservationId },

    /// There are places.
    #[event]
    Initialised { show: ShowId, capacity: u32 },
    /// Places can be held.
    #[event]
    SalesOpened,
    /// Places can no longer be held.
    #[event]
    SalesClosed,
    /// Free places became held.
    #[event]
    SeatsHeld { reservation: ReservationId, quantity: u32 },
    /// Free places became held again for one who paid late.
    #[event]
    SeatsRetaken { reservation: ReservationId, quantity: u32 },
    /// Held places became sold.
    #[event]
    SeatsSold { reservation: ReservationId, quantity: u32 },
    /// Held places became free.
    #[event]
    SeatsReleased { reservation: ReservationId, quantity: u32 },
}
