//! What an inventory allows, as sentences; and that it agrees with a list of places, whatever happens to it.

use super::*;
use crate::shared::{ReservationId, ShowId};
use composable_rust::prelude::*;
use composable_rust::testing::model::{Model, follow};
use composable_rust::testing::strategies::commands;
use proptest::prelude::{Just, Strategy, prop_oneof, proptest};
use uuid::Uuid;

use InventoryEvent::{
    Initialised, SalesClosed, SalesOpened, SeatsHeld, SeatsReleased, SeatsRetaken, SeatsSold,
};

fn show() -> ShowId {
    ShowId::from(Uuid::from_u128(1))
}

fn order(number: u128) -> ReservationId {
    ReservationId::from(Uuid::from_u128(number))
}

/// A section with three places on sale, and what happened since.
fn three_places(events: impl IntoIterator<Item = InventoryEvent>) -> Vec<InventoryEvent> {
    [Initialised { show: show(), capacity: 3 }, SalesOpened].into_iter().chain(events).collect()
}

#[test]
fn free_places_can_be_held() {
    given::<Inventory>(three_places([]))
        .when(InventoryCommand::Hold { reservation: order(1), quantity: 2 })
        .then([SeatsHeld { reservation: order(1), quantity: 2 }])
        .then_state(|places| assert_eq!((places.free, places.held), (1, 2)));
}

#[test]
fn more_than_is_free_is_refused_with_what_there_is() {
    given::<Inventory>(three_places([SeatsHeld { reservation: order(1), quantity: 2 }]))
        .when(InventoryCommand::Hold { reservation: order(2), quantity: 2 })
        .then_rejected(InventoryRefused::SeatsUnavailable { available: 1 });
}

#[test]
fn nothing_is_held_before_and_after_sales() {
    let hold = InventoryCommand::Hold { reservation: order(1), quantity: 1 };
    given::<Inventory>([Initialised { show: show(), capacity: 3 }])
        .when(hold.clone())
        .then_rejected(InventoryRefused::SalesClosed);
    given::<Inventory>(three_places([SalesClosed])).when(hold).then_rejected(InventoryRefused::SalesClosed);
}

#[test]
fn what_is_held_is_sold_or_freed_once() {
    let held = || three_places([SeatsHeld { reservation: order(1), quantity: 2 }]);
    let (confirm, release) = (
        InventoryCommand::Confirm { reservation: order(1) },
        InventoryCommand::Release { reservation: order(1) },
    );
    let sold = SeatsSold { reservation: order(1), quantity: 2 };
    let released = SeatsReleased { reservation: order(1), quantity: 2 };
    given::<Inventory>(held())
        .when(confirm.clone())
        .then([sold.clone()])
        .then_state(|places| assert_eq!((places.free, places.held, places.sold), (1, 0, 2)));
    given::<Inventory>(held())
        .when(release.clone())
        .then([released.clone()])
        .then_state(|places| assert_eq!((places.free, places.held), (3, 0)));
    given::<Inventory>(held().into_iter().chain([sold])).when(release).then_nothing();
    given::<Inventory>(held().into_iter().chain([released])).when(confirm).then_nothing();
}

#[test]
fn who_paid_late_takes_free_places_again_even_after_sales() {
    given::<Inventory>(three_places([SalesClosed]))
        .when(InventoryCommand::Retake { reservation: order(1), quantity: 3 })
        .then([SeatsRetaken { reservation: order(1), quantity: 3 }]);
    given::<Inventory>(three_places([SeatsHeld { reservation: order(2), quantity: 1 }]))
        .when(InventoryCommand::Retake { reservation: order(1), quantity: 3 })
        .then_rejected(InventoryRefused::SeatsUnavailable { available: 2 });
}

#[test]
fn a_release_on_its_way_cannot_free_what_was_taken_again() {
    given::<Inventory>(three_places([SeatsHeld { reservation: order(1), quantity: 1 }]))
        .when(InventoryCommand::Retake { reservation: order(1), quantity: 1 })
        .then_rejected(InventoryRefused::WrongState);
}

#[test]
fn places_are_made_once() {
    given::<Inventory>(three_places([]))
        .when(InventoryCommand::Initialise { show: show(), capacity: 9 })
        .then_rejected(InventoryRefused::WrongState);
    given_nothing::<Inventory>()
        .when(InventoryCommand::OpenSales)
        .then_rejected(InventoryRefused::WrongState);
}

/// Every place by itself, and who has it.
#[derive(Debug, Default)]
struct Places {
    made: bool,
    on_sale: bool,
    all: Vec<Place>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Free,
    Held(ReservationId),
    Sold,
}

impl Places {
    fn count(&self, wanted: impl Fn(&Place) -> bool) -> u32 {
        u32::try_from(self.all.iter().filter(|place| wanted(place)).count()).unwrap()
    }

    fn turn(&mut self, from: Place, to: Place, most: u32) {
        let matching = self.all.iter_mut().filter(|place| **place == from);
        matching.take(most as usize).for_each(|place| *place = to);
    }

    fn take(&mut self, by: ReservationId, quantity: u32) -> Result<(), InventoryRefused> {
        let free = self.count(|place| *place == Place::Free);
        if quantity == 0 || self.all.contains(&Place::Held(by)) {
            return Err(InventoryRefused::WrongState);
        }
        if quantity > free {
            return Err(InventoryRefused::SeatsUnavailable { available: free });
        }
        self.turn(Place::Free, Place::Held(by), quantity);
        Ok(())
    }
}

impl Model<Inventory> for Places {
    fn apply(&mut self, command: &InventoryCommand, _: &Context) -> Result<(), InventoryRefused> {
        match *command {
            InventoryCommand::Initialise { .. } if self.made => return Err(InventoryRefused::WrongState),
            InventoryCommand::Initialise { capacity, .. } => {
                self.made = true;
                self.all = vec![Place::Free; capacity as usize];
            }
            InventoryCommand::OpenSales if !self.made => return Err(InventoryRefused::WrongState),
            InventoryCommand::OpenSales => self.on_sale = true,
            InventoryCommand::CloseSales => self.on_sale = false,
            InventoryCommand::Hold { .. } if !self.on_sale => return Err(InventoryRefused::SalesClosed),
            InventoryCommand::Hold { reservation, quantity }
            | InventoryCommand::Retake { reservation, quantity } => self.take(reservation, quantity)?,
            InventoryCommand::Confirm { reservation } => {
                self.turn(Place::Held(reservation), Place::Sold, u32::MAX);
            }
            InventoryCommand::Release { reservation } => {
                self.turn(Place::Held(reservation), Place::Free, u32::MAX);
            }
        }
        Ok(())
    }

    fn agrees(&self, inventory: &Inventory) -> Result<(), String> {
        let free = self.count(|place| *place == Place::Free);
        let sold = self.count(|place| *place == Place::Sold);
        let held = self.count(|place| matches!(place, Place::Held(_)));
        if !inventory.is_sound() {
            return Err("capacity = free + held + sold + blocked does not hold".into());
        }
        if (inventory.free, inventory.held, inventory.sold) != (free, held, sold) {
            return Err(format!("there are {free} free, {held} held and {sold} sold places"));
        }
        Ok(())
    }
}

fn any_command() -> impl Strategy<Value = InventoryCommand> + Clone {
    let (who, many) = (|| (0_u128..6).prop_map(order), || 0_u32..5);
    prop_oneof![
        1 => Just(InventoryCommand::Initialise { show: show(), capacity: 10 }),
        2 => Just(InventoryCommand::OpenSales),
        1 => Just(InventoryCommand::CloseSales),
        6 => (who(), many()).prop_map(|(reservation, quantity)| InventoryCommand::Hold { reservation, quantity }),
        2 => (who(), many()).prop_map(|(reservation, quantity)| InventoryCommand::Retake { reservation, quantity }),
        3 => who().prop_map(|reservation| InventoryCommand::Confirm { reservation }),
        3 => who().prop_map(|reservation| InventoryCommand::Release { reservation }),
    ]
}

proptest! {
    #[test]
    fn no_sequence_of_commands_loses_a_place_or_sells_one_twice(history in commands(any_command(), 60)) {
        follow::<Inventory, Places>(&history)?;
    }
}
