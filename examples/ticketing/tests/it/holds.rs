//! How long places were held, by the log: none longer than it was promised to, as far as the program lived to end it.

use crate::invariants::events;
use composable_rust::{Application, EventSet, later};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;
use ticketing::inventory::InventoryEvent;
use ticketing::reservation::ReservationEvent;
use ticketing::shared::ReservationId;

/// How long a hold may outlive its expiry.
const MOST: Duration = Duration::from_secs(10);

/// When the program lived.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lived {
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

/// Places that an order has.
#[derive(Debug)]
struct Hold {
    expires: Timestamp,
    ended: Option<Timestamp>,
}

/// Every hold that was there more than 10 s after its expiry in one life of the program, in words.
pub(crate) async fn outlived(app: &Application, lives: &[Lived]) -> Vec<String> {
    let mut late = Vec::new();
    for (order, Hold { expires, ended }) in holds(app).await {
        for life in lives {
            let (from, to) = (expires.max(life.from), ended.map_or(life.to, |ended| ended.min(life.to)));
            if to > later(from, MOST) {
                late.push(format!("order {order}: expired {expires}, ended {ended:?}, in {life:?}"));
            }
        }
    }
    late
}

async fn holds(app: &Application) -> Vec<(ReservationId, Hold)> {
    let mut expiries = BTreeMap::<ReservationId, Timestamp>::new();
    for event in events(app, "reservation").await {
        let event = ReservationEvent::recorded(&event).expect("an event of an order");
        let until = match &event.body {
            ReservationEvent::Placed { order, .. } => order.until,
            ReservationEvent::Extended { until } | ReservationEvent::PaymentStarted { until, .. } => *until,
            ReservationEvent::CalledOff { at } => *at,
            ReservationEvent::PaymentFailed { .. }
            | ReservationEvent::Completed { .. }
            | ReservationEvent::Cancelled
            | ReservationEvent::Expired
            | ReservationEvent::RefundStarted(_)
            | ReservationEvent::Refunded { .. } => continue,
        };
        expiries.insert(*event.key(), until);
    }
    let mut holds = Vec::<(ReservationId, Hold)>::new();
    for event in events(app, "inventory").await {
        let event = InventoryEvent::recorded(&event).expect("an event of an inventory");
        match event.body {
            InventoryEvent::SeatsHeld { reservation, .. } => {
                holds.push((reservation, Hold { expires: expiries[&reservation], ended: None }));
            }
            // For one who has paid: it is sold at once.
            InventoryEvent::SeatsRetaken { reservation, .. } => {
                holds.push((reservation, Hold { expires: event.recorded_at, ended: None }));
            }
            InventoryEvent::SeatsSold { reservation, .. }
            | InventoryEvent::SeatsReleased { reservation, .. } => {
                let mut open =
                    holds.iter_mut().filter(|(order, hold)| *order == reservation && hold.ended.is_none());
                open.next().expect("a hold that ends").1.ended = Some(event.recorded_at);
            }
            InventoryEvent::Initialised { .. }
            | InventoryEvent::SeatsReturned { .. }
            | InventoryEvent::CapacityAdded { .. }
            | InventoryEvent::SeatsBlocked { .. }
            | InventoryEvent::SeatsUnblocked { .. }
            | InventoryEvent::SalesOpened
            | InventoryEvent::SalesClosed
            | InventoryEvent::Cancelled => {}
        }
    }
    holds
}
