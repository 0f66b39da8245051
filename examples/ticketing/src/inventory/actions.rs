//! The language of an inventory.
#![expect(missing_docs, reason = "the fields of commands and events are what they are called")]

use super::Inventory;
use crate::shared::{Places, ReservationId, SectionId, ShowId};
use composable_rust::prelude::*;

/// What can be asked of an inventory, and what can happen to it.
#[derive(Debug, Clone, PartialEq, Action)]
#[action(category = "inventory", key = SectionId, decider = Inventory)]
pub enum InventoryAction {
    /// Begins with so many free places.
    #[command]
    Initialise { show: ShowId, capacity: u32, rows: Vec<u32> },
    /// As [`Initialise`](InventoryCommand::Initialise), on sale at once: the section of a show that is.
    #[command]
    InitialiseOnSale { show: ShowId, capacity: u32, rows: Vec<u32> },
    /// Lets places be held.
    #[command]
    OpenSales,
    /// Lets no more places be held.
    #[command]
    CloseSales,
    /// Ends it for good: nothing is held or taken again.
    #[command]
    Cancel,
    /// Takes free places for a reservation; where seats are numbered those that are named, and of the rest the best.
    #[command]
    Hold { reservation: ReservationId, places: Places },
    /// Takes free places again for a reservation whose money came late, even when sales have closed.
    #[command]
    Retake { reservation: ReservationId, places: Places },
    /// Sells what the reservation holds. Nothing held: nothing happens.
    #[command]
    Confirm { reservation: ReservationId },
    /// Frees what the reservation holds. Nothing held: nothing happens.
    #[command]
    Release { reservation: ReservationId },
    /// Frees places that were sold to the reservation, whose tickets were given back. Each is given back once: that is
    /// the reservation's to see to.
    #[command]
    TakeBack { reservation: ReservationId, places: Places },
    /// What the organiser changes, all or nothing: makes general places, gives blocked ones back, blocks free ones.
    #[command]
    Adjust { add: u32, unblock: Places, block: Places },

    /// There are places.
    #[event]
    Initialised {
        show: ShowId,
        capacity: u32,
        /// How many seats each row has, where they are numbered.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        rows: Vec<u32>,
    },
    /// Places can be held.
    #[event]
    SalesOpened,
    /// Places can no longer be held.
    #[event]
    SalesClosed,
    /// It is over: places can never again be held.
    #[event]
    Cancelled,
    /// Free places became held.
    #[event]
    SeatsHeld {
        reservation: ReservationId,
        #[serde(flatten)]
        places: Places,
    },
    /// Free places became held again for one who paid late.
    #[event]
    SeatsRetaken {
        reservation: ReservationId,
        #[serde(flatten)]
        places: Places,
    },
    /// Held places became sold.
    #[event]
    SeatsSold {
        reservation: ReservationId,
        #[serde(flatten)]
        places: Places,
    },
    /// Held places became free.
    #[event]
    SeatsReleased {
        reservation: ReservationId,
        #[serde(flatten)]
        places: Places,
    },
    /// Sold places became free.
    #[event]
    SeatsReturned {
        reservation: ReservationId,
        #[serde(flatten)]
        places: Places,
    },
    /// There are more general places.
    #[event]
    CapacityAdded { quantity: u32 },
    /// Free places became blocked.
    #[event]
    SeatsBlocked {
        #[serde(flatten)]
        places: Places,
    },
    /// Blocked places became free.
    #[event]
    SeatsUnblocked {
        #[serde(flatten)]
        places: Places,
    },
}
