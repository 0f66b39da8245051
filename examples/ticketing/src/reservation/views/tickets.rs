//! All tickets, by holder.

use crate::reservation::ReservationEvent;
use crate::shared::{ReservationId, ShowId, Ticket, TicketId};
use composable_rust::prelude::*;
use jiff::Timestamp;

/// All tickets.
#[derive(Debug)]
pub struct TicketList;

/// A ticket in the list.
#[derive(Debug, Clone, PartialEq, Row)]
#[row(key = "id", index = "holder, reservation, show, issued_at")]
pub struct ListedTicket {
    /// Its id.
    pub id: TicketId,
    /// Whose.
    pub holder: UserId,
    /// Of which order.
    pub reservation: ReservationId,
    /// Of which show.
    pub show: ShowId,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// Whether it opens the door.
    pub status: TicketStatus,
    /// The ticket itself.
    pub ticket: Ticket,
}

/// Whether a ticket opens the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Label)]
pub enum TicketStatus {
    /// It does.
    Valid,
    /// It was given back.
    Refunded,
}

impl Projection for TicketList {
    type Event = ReservationEvent;
    type Row = ListedTicket;
    const NAME: &'static str = "tickets";
    const VERSION: u32 = 2;

    fn project(&self, event: &Recorded<ReservationEvent>, rows: &mut Rows<ListedTicket>) {
        match &event.body {
            ReservationEvent::Completed { show, customer, tickets, at, .. } => {
                for ticket in tickets {
                    rows.put(ListedTicket {
                        id: ticket.id,
                        holder: *customer,
                        reservation: *event.key(),
                        show: *show,
                        issued_at: *at,
                        status: TicketStatus::Valid,
                        ticket: ticket.clone(),
                    });
                }
            }
            ReservationEvent::Refunded { tickets, .. } => {
                for ticket in tickets {
                    rows.update(ticket, |row| row.status = TicketStatus::Refunded);
                }
            }
            // There are tickets for what is paid only.
            ReservationEvent::Placed { .. }
            | ReservationEvent::Extended { .. }
            | ReservationEvent::PaymentStarted { .. }
            | ReservationEvent::PaymentFailed { .. }
            | ReservationEvent::Cancelled
            | ReservationEvent::Expired
            | ReservationEvent::CalledOff { .. }
            | ReservationEvent::RefundStarted(_) => {}
        }
    }
}
