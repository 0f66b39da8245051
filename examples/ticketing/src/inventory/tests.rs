//! What an inventory allows, as sentences; and that it agrees with a list of places, whatever happens to it.

use super::*;
use crate::shared::{Places, ReservationId, ShowId};
use composable_rust::prelude::*;
use composable_rust::testing::model::{Model, follow};
use composable_rust::testing::strategies::commands;
use proptest::prelude::{Just, Strategy, prop_oneof, proptest};
use uuid::Uuid;

use InventoryEvent::{
    Cancelled, CapacityAdded, Initialised, SalesClosed, SalesOpened, SeatsBlocked, SeatsHeld, SeatsReleased,
    SeatsRetaken, SeatsReturned, SeatsSold, SeatsUnblocked,
};

fn show() -> ShowId {
    ShowId::from(Uuid::from_u128(1))
}

fn order(number: u128) -> ReservationId {
    ReservationId::from(Uuid::from_u128(number))
}

fn some(quantity: u32) -> Places {
    Places { quantity, seats: Vec::new() }
}

fn seats<const N: usize>(seats: [u32; N]) -> Places {
    Places { quantity: u32::try_from(N).unwrap(), seats: seats.to_vec() }
}

/// Two rows of three numbered seats on sale, and what happened since.
fn two_rows(events: impl IntoIterator<Item = InventoryEvent>) -> Vec<InventoryEvent> {
    let made = [Initialised { show: show(), capacity: 6, rows: vec![3, 3] }, SalesOpened];
    made.into_iter().chain(events).collect()
}

#[test]
fn seats_are_held_as_they_are_named_or_the_best_together() {
    let hold = |places| InventoryCommand::Hold { reservation: order(1), places };
    let taken = |places| SeatsHeld { reservation: order(1), places };
    given::<Inventory>(two_rows([])).when(hold(seats([0, 5]))).then([taken(seats([0, 5]))]);
    given::<Inventory>(two_rows([])).when(hold(some(2))).then([taken(seats([0, 1]))]);
    let named_and_best = Places { quantity: 3, seats: vec![1] };
    given::<Inventory>(two_rows([])).when(hold(named_and_best)).then([taken(seats([1, 3, 4]))]);
}

#[test]
fn a_section_of_a_cancelled_show_gives_no_places_and_ends_what_it_has() {
    let held = || two_rows([SeatsHeld { reservation: order(1), places: seats([1]) }]);
    given::<Inventory>(held()).when(InventoryCommand::Cancel).then([Cancelled]);
    let over = || held().into_iter().chain([Cancelled]);
    let refused = InventoryRefused::SalesClosed;
    given::<Inventory>(over()).when(InventoryCommand::Cancel).then_nothing();
    given::<Inventory>(over())
        .when(InventoryCommand::Hold { reservation: order(2), places: some(1) })
        .then_rejected(refused.clone());
    given::<Inventory>(over())
        .when(InventoryCommand::Retake { reservation: order(2), places: some(1) })
        .then_rejected(refused.clone());
    given::<Inventory>(over()).when(InventoryCommand::OpenSales).then_rejected(refused);
    given::<Inventory>(over())
        .when(InventoryCommand::Release { reservation: order(1) })
        .then([SeatsReleased { reservation: order(1), places: seats([1]) }]);
    given_nothing::<Inventory>().when(InventoryCommand::Cancel).then_nothing();
}

#[test]
fn sold_places_that_are_taken_back_are_free_and_what_is_still_held_is_sold_first() {
    let back = |places| InventoryCommand::TakeBack { reservation: order(1), places };
    let returned = |places| SeatsReturned { reservation: order(1), places };
    let held = || two_rows([SeatsHeld { reservation: order(1), places: seats([1, 2]) }]);
    let sold = || SeatsSold { reservation: order(1), places: seats([1, 2]) };
    given::<Inventory>(held().into_iter().chain([sold()]))
        .when(back(seats([2])))
        .then([returned(seats([2]))])
        .then_state(|inventory| assert_eq!((inventory.counts.free, inventory.counts.sold), (5, 1)));
    given::<Inventory>(held()).when(back(seats([1]))).then([sold(), returned(seats([1]))]);
    let again = held().into_iter().chain([sold(), returned(seats([2]))]);
    given::<Inventory>(again).when(back(seats([2]))).then_rejected(InventoryRefused::WrongState);
    given::<Inventory>(held()).when(back(seats([0]))).then_rejected(InventoryRefused::WrongState);
}

#[test]
fn an_overlap_of_seats_is_refused_whole() {
    let hold = |places| InventoryCommand::Hold { reservation: order(2), places };
    let taken = || two_rows([SeatsHeld { reservation: order(1), places: seats([1, 2]) }]);
    let refused = |available| InventoryRefused::SeatsUnavailable { available };
    given::<Inventory>(taken()).when(hold(seats([0, 1, 2]))).then_rejected(refused(1));
    given::<Inventory>(taken()).when(hold(seats([6]))).then_rejected(refused(0));
    given::<Inventory>(taken()).when(hold(some(5))).then_rejected(refused(4));
    let sold = taken().into_iter().chain([SeatsSold { reservation: order(1), places: seats([1, 2]) }]);
    given::<Inventory>(sold).when(hold(seats([1]))).then_rejected(refused(0));
    let free = taken().into_iter().chain([SeatsReleased { reservation: order(1), places: seats([1, 2]) }]);
    given::<Inventory>(free)
        .when(hold(seats([1])))
        .then([SeatsHeld { reservation: order(2), places: seats([1]) }]);
}

/// A section with three places on sale, and what happened since.
fn three_places(events: impl IntoIterator<Item = InventoryEvent>) -> Vec<InventoryEvent> {
    [Initialised { show: show(), capacity: 3, rows: Vec::new() }, SalesOpened]
        .into_iter()
        .chain(events)
        .collect()
}

#[test]
fn free_places_can_be_held() {
    given::<Inventory>(three_places([]))
        .when(InventoryCommand::Hold { reservation: order(1), places: some(2) })
        .then([SeatsHeld { reservation: order(1), places: some(2) }])
        .then_state(|places| assert_eq!((places.counts.free, places.counts.held), (1, 2)));
}

#[test]
fn more_than_is_free_is_refused_with_what_there_is() {
    given::<Inventory>(three_places([SeatsHeld { reservation: order(1), places: some(2) }]))
        .when(InventoryCommand::Hold { reservation: order(2), places: some(2) })
        .then_rejected(InventoryRefused::SeatsUnavailable { available: 1 });
}

#[test]
fn nothing_is_held_before_and_after_sales() {
    let hold = InventoryCommand::Hold { reservation: order(1), places: some(1) };
    given::<Inventory>([Initialised { show: show(), capacity: 3, rows: Vec::new() }])
        .when(hold.clone())
        .then_rejected(InventoryRefused::SalesClosed);
    given::<Inventory>(three_places([SalesClosed])).when(hold).then_rejected(InventoryRefused::SalesClosed);
}

#[test]
fn what_is_held_is_sold_or_freed_once() {
    let held = || three_places([SeatsHeld { reservation: order(1), places: some(2) }]);
    let (confirm, release) = (
        InventoryCommand::Confirm { reservation: order(1) },
        InventoryCommand::Release { reservation: order(1) },
    );
    let sold = SeatsSold { reservation: order(1), places: some(2) };
    let released = SeatsReleased { reservation: order(1), places: some(2) };
    given::<Inventory>(held()).when(confirm.clone()).then([sold.clone()]).then_state(|places| {
        assert_eq!((places.counts.free, places.counts.held, places.counts.sold), (1, 0, 2));
    });
    given::<Inventory>(held())
        .when(release.clone())
        .then([released.clone()])
        .then_state(|places| assert_eq!((places.counts.free, places.counts.held), (3, 0)));
    given::<Inventory>(held().into_iter().chain([sold])).when(release).then_nothing();
    given::<Inventory>(held().into_iter().chain([released])).when(confirm).then_nothing();
}

#[test]
fn who_paid_late_takes_free_places_again_even_after_sales() {
    given::<Inventory>(three_places([SalesClosed]))
        .when(InventoryCommand::Retake { reservation: order(1), places: some(3) })
        .then([SeatsRetaken { reservation: order(1), places: some(3) }]);
    given::<Inventory>(three_places([SeatsHeld { reservation: order(2), places: some(1) }]))
        .when(InventoryCommand::Retake { reservation: order(1), places: some(3) })
        .then_rejected(InventoryRefused::SeatsUnavailable { available: 2 });
}

#[test]
fn a_release_on_its_way_cannot_free_what_was_taken_again() {
    given::<Inventory>(three_places([SeatsHeld { reservation: order(1), places: some(1) }]))
        .when(InventoryCommand::Retake { reservation: order(1), places: some(1) })
        .then_rejected(InventoryRefused::WrongState);
}

#[test]
fn places_are_made_once() {
    given::<Inventory>(three_places([]))
        .when(InventoryCommand::Initialise { show: show(), capacity: 9, rows: Vec::new() })
        .then_rejected(InventoryRefused::WrongState);
    given_nothing::<Inventory>()
        .when(InventoryCommand::OpenSales)
        .then_rejected(InventoryRefused::WrongState);
}

fn adjust(add: u32, unblock: Places, block: Places) -> InventoryCommand {
    InventoryCommand::Adjust { add, unblock, block }
}

#[test]
fn the_organiser_makes_blocks_and_gives_back_places_all_or_nothing() {
    given::<Inventory>(three_places([]))
        .when(adjust(2, some(0), some(4)))
        .then([CapacityAdded { quantity: 2 }, SeatsBlocked { places: some(4) }])
        .then_state(|places| {
            assert_eq!((places.counts.capacity, places.counts.free, places.counts.blocked), (5, 1, 4));
        });
    let blocked = || three_places([SeatsBlocked { places: some(2) }]);
    given::<Inventory>(blocked())
        .when(adjust(0, some(1), some(0)))
        .then([SeatsUnblocked { places: some(1) }])
        .then_state(|places| assert_eq!((places.counts.free, places.counts.blocked), (2, 1)));
    given::<Inventory>(blocked())
        .when(adjust(0, some(3), some(0)))
        .then_rejected(InventoryRefused::NotBlocked { blocked: 2 });
    given::<Inventory>(blocked())
        .when(adjust(5, some(0), some(7)))
        .then_rejected(InventoryRefused::SeatsUnavailable { available: 6 });
    let hold = InventoryCommand::Hold { reservation: order(1), places: some(2) };
    given::<Inventory>(blocked())
        .when(hold)
        .then_rejected(InventoryRefused::SeatsUnavailable { available: 1 });
    given_nothing::<Inventory>()
        .when(adjust(1, some(0), some(0)))
        .then_rejected(InventoryRefused::WrongState);
}

#[test]
fn seats_are_blocked_by_name_and_never_what_somebody_holds() {
    let held = || two_rows([SeatsHeld { reservation: order(1), places: seats([1]) }]);
    given::<Inventory>(held())
        .when(adjust(0, some(0), seats([0, 5])))
        .then([SeatsBlocked { places: seats([0, 5]) }]);
    given::<Inventory>(held())
        .when(adjust(0, some(0), seats([0, 1])))
        .then_rejected(InventoryRefused::SeatsUnavailable { available: 1 });
    given::<Inventory>(held()).when(adjust(1, some(0), some(0))).then_rejected(InventoryRefused::WrongState);
    let blocked = || held().into_iter().chain([SeatsBlocked { places: seats([0, 5]) }]);
    given::<Inventory>(blocked())
        .when(adjust(0, seats([5]), some(0)))
        .then([SeatsUnblocked { places: seats([5]) }]);
    given::<Inventory>(blocked())
        .when(adjust(0, seats([1]), some(0)))
        .then_rejected(InventoryRefused::NotBlocked { blocked: 2 });
    given::<Inventory>(blocked())
        .when(adjust(0, some(1), some(0)))
        .then([SeatsUnblocked { places: seats([0]) }]);
    let named_and_first = Places { quantity: 2, seats: vec![5] };
    given::<Inventory>(blocked())
        .when(adjust(0, named_and_first, some(0)))
        .then([SeatsUnblocked { places: seats([5, 0]) }]);
}

/// Every place by itself, and who has it.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "a model is plain")]
struct Venue {
    made: bool,
    on_sale: bool,
    is_cancelled: bool,
    seated: bool,
    all: Vec<Place>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Free,
    Held(ReservationId),
    Sold,
    Blocked,
}

impl Venue {
    fn count(&self, wanted: impl Fn(&Place) -> bool) -> u32 {
        u32::try_from(self.all.iter().filter(|place| wanted(place)).count()).unwrap()
    }

    fn turn(&mut self, from: Place, to: Place) {
        self.all.iter_mut().filter(|place| **place == from).for_each(|place| *place = to);
    }

    /// Whole, or as it was.
    fn adjust(&mut self, add: u32, unblock: &Places, block: &Places) -> Result<(), InventoryRefused> {
        if add > 0 && self.seated {
            return Err(InventoryRefused::WrongState);
        }
        let mut all = self.all.clone();
        all.extend(vec![Place::Free; add as usize]);
        let are_blocked = all.iter().filter(|place| **place == Place::Blocked).count();
        let named = |place: &&u32| self.all.get(**place as usize) == Some(&Place::Blocked) && self.seated;
        if unblock.quantity as usize > are_blocked
            || unblock.seats.iter().filter(named).count() < unblock.seats.len()
        {
            return Err(InventoryRefused::NotBlocked { blocked: u32::try_from(are_blocked).unwrap() });
        }
        let mut some = unblock.quantity as usize - unblock.seats.len();
        for (index, place) in all.iter_mut().enumerate() {
            let is_named = unblock.seats.iter().any(|place| *place as usize == index);
            if *place == Place::Blocked && (is_named || some > 0) {
                some -= usize::from(!is_named);
                *place = Place::Free;
            }
        }
        let before = std::mem::replace(&mut self.all, all);
        if block.quantity > 0 {
            self.take_as(Place::Blocked, block).inspect_err(|_| self.all = before)?;
        }
        Ok(())
    }

    /// Named seats first; which ones the rest are is the inventory's choice, and told by [`Self::agrees`].
    fn take(&mut self, by: ReservationId, places: &Places) -> Result<(), InventoryRefused> {
        if places.quantity == 0 || self.all.contains(&Place::Held(by)) {
            return Err(InventoryRefused::WrongState);
        }
        self.take_as(Place::Held(by), places)
    }

    fn take_as(&mut self, what: Place, places: &Places) -> Result<(), InventoryRefused> {
        let free = self.count(|place| *place == Place::Free);
        let is_free = |place: &&u32| self.all.get(**place as usize) == Some(&Place::Free) && self.seated;
        let named = places.seats.iter().filter(is_free).count();
        if named < places.seats.len() {
            return Err(InventoryRefused::SeatsUnavailable { available: u32::try_from(named).unwrap() });
        }
        if places.quantity > free {
            return Err(InventoryRefused::SeatsUnavailable { available: free });
        }
        if !self.seated {
            let free = self.all.iter_mut().filter(|place| **place == Place::Free);
            free.take(places.quantity as usize).for_each(|place| *place = what);
            return Ok(());
        }
        let mut held = Seats::new(&[3, 4, 3]);
        let taken = (0..10).filter(|place| self.all[*place as usize] != Place::Free).collect::<Vec<_>>();
        held.set(&taken, SeatState::Sold);
        held.set(&places.seats, SeatState::Held);
        let rest = held.best(places.quantity - u32::try_from(places.seats.len()).unwrap());
        for place in places.seats.iter().chain(&rest) {
            self.all[*place as usize] = what;
        }
        Ok(())
    }
}

impl Venue {
    /// The sold places that are named, or of general ones any, become free; what is held was paid.
    fn take_back(&mut self, reservation: ReservationId, places: &Places) -> Result<(), InventoryRefused> {
        let before = self.all.clone();
        self.turn(Place::Held(reservation), Place::Sold);
        let sold = (0_u32..).zip(&self.all).filter(|(_, place)| **place == Place::Sold).map(|(at, _)| at);
        let sold: Vec<_> = sold.filter(|at| !self.seated || places.seats.contains(at)).collect();
        let quantity = places.quantity as usize;
        let named = if self.seated { quantity } else { 0 };
        if quantity == 0 || quantity > sold.len() || places.seats.len() != named {
            self.all = before;
            return Err(InventoryRefused::WrongState);
        }
        sold.into_iter().take(quantity).for_each(|at| self.all[at as usize] = Place::Free);
        Ok(())
    }
}

impl Model<Inventory> for Venue {
    fn apply(&mut self, command: &InventoryCommand, _: &Context) -> Result<(), InventoryRefused> {
        match command {
            InventoryCommand::Initialise { .. } | InventoryCommand::InitialiseOnSale { .. } if self.made => {
                return Err(InventoryRefused::WrongState);
            }
            InventoryCommand::Initialise { capacity, rows, .. }
            | InventoryCommand::InitialiseOnSale { capacity, rows, .. } => {
                self.made = true;
                self.on_sale = matches!(command, InventoryCommand::InitialiseOnSale { .. });
                self.seated = !rows.is_empty();
                self.all = vec![Place::Free; *capacity as usize];
            }
            InventoryCommand::OpenSales | InventoryCommand::Adjust { .. } if !self.made => {
                return Err(InventoryRefused::WrongState);
            }
            InventoryCommand::Cancel if self.made => (self.on_sale, self.is_cancelled) = (false, true),
            InventoryCommand::Cancel => {}
            InventoryCommand::OpenSales
            | InventoryCommand::Adjust { .. }
            | InventoryCommand::Retake { .. }
                if self.is_cancelled =>
            {
                return Err(InventoryRefused::SalesClosed);
            }
            InventoryCommand::OpenSales => self.on_sale = true,
            InventoryCommand::CloseSales => self.on_sale = false,
            InventoryCommand::Adjust { add, unblock, block } => self.adjust(*add, unblock, block)?,
            InventoryCommand::Hold { .. } if !self.on_sale => return Err(InventoryRefused::SalesClosed),
            InventoryCommand::Hold { reservation, places }
            | InventoryCommand::Retake { reservation, places } => self.take(*reservation, places)?,
            InventoryCommand::Confirm { reservation } => {
                self.turn(Place::Held(*reservation), Place::Sold);
            }
            InventoryCommand::Release { reservation } => {
                self.turn(Place::Held(*reservation), Place::Free);
            }
            InventoryCommand::TakeBack { reservation, places } => self.take_back(*reservation, places)?,
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
        let blocked = self.count(|place| *place == Place::Blocked);
        if (inventory.counts.free, inventory.counts.held, inventory.counts.sold, inventory.counts.blocked)
            != (free, held, sold, blocked)
        {
            return Err(format!("there are {free} free, {held} held, {sold} sold, {blocked} blocked places"));
        }
        let states = inventory.counts.seats.states().map(|state| match state {
            SeatState::Free => (true, false),
            SeatState::Held => (false, true),
            SeatState::Sold | SeatState::Blocked => (false, false),
        });
        let wanted = self.all.iter().map(|place| (*place == Place::Free, matches!(place, Place::Held(_))));
        if self.seated && !states.eq(wanted) {
            return Err(format!("other seats are taken than in the model: {:?}", self.all));
        }
        Ok(())
    }
}

fn any_command() -> impl Strategy<Value = InventoryCommand> + Clone {
    let who = || (0_u128..6).prop_map(order);
    let named = || proptest::collection::btree_set(0_u32..11, 0..3);
    let places = move || {
        (0_u32..4, named()).prop_map(|(more, named)| Places {
            quantity: more + u32::try_from(named.len()).unwrap(),
            seats: named.into_iter().collect(),
        })
    };
    let rows = || prop_oneof![Just(Vec::new()), Just(vec![3_u32, 4, 3])];
    prop_oneof![
        1 => rows().prop_map(|rows| InventoryCommand::Initialise { show: show(), capacity: 10, rows }),
        1 => rows().prop_map(|rows| InventoryCommand::InitialiseOnSale { show: show(), capacity: 10, rows }),
        2 => Just(InventoryCommand::OpenSales),
        1 => Just(InventoryCommand::CloseSales),
        1 => Just(InventoryCommand::Cancel),
        6 => (who(), places()).prop_map(|(reservation, places)| InventoryCommand::Hold { reservation, places }),
        3 => (who(), (0_u32..5).prop_map(some)).prop_map(|(reservation, places)| InventoryCommand::Hold { reservation, places }),
        2 => (who(), places()).prop_map(|(reservation, places)| InventoryCommand::Retake { reservation, places }),
        2 => (0_u32..3, places(), places()).prop_map(|(add, unblock, block)| adjust(add, unblock, block)),
        2 => (0_u32..3, 0_u32..3).prop_map(|(unblock, block)| adjust(0, some(unblock), some(block))),
        3 => who().prop_map(|reservation| InventoryCommand::Confirm { reservation }),
        3 => who().prop_map(|reservation| InventoryCommand::Release { reservation }),
        2 => (who(), places()).prop_map(|(reservation, places)| InventoryCommand::TakeBack { reservation, places }),
        2 => (who(), (0_u32..3).prop_map(some)).prop_map(|(reservation, places)| InventoryCommand::TakeBack { reservation, places }),
    ]
}

proptest! {
    #[test]
    fn no_sequence_of_commands_loses_a_place_or_sells_one_twice(history in commands(any_command(), 60)) {
        follow::<Inventory, Venue>(&history)?;
    }
}
