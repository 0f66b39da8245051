//! Which seats an order gets: its sections choose them, and the order is told in the same append.

use crate::inventory::{Inventory, InventoryEvent};
use crate::reservation::ReservationCommand;
use crate::shared::{Seat, SectionId};
use crate::show::Section;
use composable_rust::runtime::Earlier;
use std::collections::BTreeMap;

/// Puts into an order the seats that these sections have chosen for it.
pub fn seated(sections: Vec<Section>) -> impl Fn(&mut ReservationCommand, &Earlier<'_>) {
    move |command, earlier| {
        let chosen: BTreeMap<SectionId, Vec<Seat>> =
            sections.iter().map(|section| (section.id, seats_of(section, earlier))).collect();
        if let ReservationCommand::Place(order) = command {
            order.sit(&chosen);
        }
    }
}

fn seats_of(section: &Section, earlier: &Earlier<'_>) -> Vec<Seat> {
    let events = earlier.events::<Inventory>().filter(|(id, _)| *id == section.id);
    let places = events.flat_map(|(_, events)| events).flat_map(|event| {
        let InventoryEvent::SeatsHeld { places, .. } = event else { return [].as_slice() };
        places.seats.as_slice()
    });
    places.filter_map(|place| section.seat(*place)).collect()
}
