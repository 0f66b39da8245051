//! An order and its tickets as the API shows them.

use super::views::{ListedTicket, TicketStatus};
use super::{Order, Reservation, ReservationStatus};
use crate::shared::{Line, Money, PaymentId, ReservationId, Seat, SectionId, ShowId, Ticket, TicketId};
use composable_rust::prelude::*;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// An order as the API shows it.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ReservationBody {
    id: ReservationId,
    status: ReservationStatus,
    #[serde(flatten)]
    order: Option<OrderBody>,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_id: Option<PaymentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_time: Option<Timestamp>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct OrderBody {
    event_id: ShowId,
    user_id: UserId,
    lines: Vec<Line>,
    quantity: u32,
    seats: Vec<SeatBody>,
    total: Money,
    expires_at: Timestamp,
}

impl ReservationBody {
    /// The order as it is at `server_time`.
    pub(super) fn new(id: ReservationId, reservation: &Reservation, server_time: Timestamp) -> Self {
        Self { server_time: Some(server_time), ..Self::followed(id, reservation) }
    }

    /// The order for whoever follows it: the same until it changes.
    pub(super) fn followed(id: ReservationId, reservation: &Reservation) -> Self {
        Self {
            id,
            status: reservation.status,
            order: reservation.order.as_ref().map(OrderBody::new),
            created_at: reservation.placed_at,
            payment_id: reservation.payment,
            server_time: None,
        }
    }
}

impl OrderBody {
    fn new(order: &Order) -> Self {
        Self {
            event_id: order.show,
            user_id: order.customer,
            lines: order.lines.clone(),
            quantity: order.places(),
            seats: order.lines.iter().flat_map(SeatBody::of).collect(),
            total: order.total,
            expires_at: order.until,
        }
    }
}

/// A seat of an order.
#[derive(Debug, Serialize, JsonSchema)]
struct SeatBody {
    section_id: SectionId,
    #[serde(flatten)]
    seat: Seat,
}

impl SeatBody {
    fn of(line: &Line) -> impl Iterator<Item = Self> + '_ {
        line.seats.iter().map(|seat| Self { section_id: line.section_id, seat: seat.clone() })
    }
}

/// A ticket as the API shows it.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct TicketBody {
    id: TicketId,
    event_id: ShowId,
    reservation_id: ReservationId,
    section: String,
    tier: String,
    price: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seat: Option<u32>,
    status: TicketStatus,
    code: String,
    issued_at: Timestamp,
}

impl From<ListedTicket> for TicketBody {
    fn from(row: ListedTicket) -> Self {
        let ListedTicket { show, reservation, status, issued_at, ticket, .. } = row;
        let Ticket { id, section, tier, price, row, seat, code, .. } = ticket;
        Self {
            id,
            event_id: show,
            reservation_id: reservation,
            section,
            tier,
            price,
            row,
            seat,
            status,
            code,
            issued_at,
        }
    }
}
