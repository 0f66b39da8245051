//! The language of a reservation.
#![expect(missing_docs, reason = "the fields of commands and events are what they are called")]

use super::{Order, Reservation, TicketRefund};
use crate::shared::{Money, PaymentId, RefundId, ReservationId, ShowId, Ticket, TicketId};
use composable_rust::prelude::*;
use jiff::Timestamp;

/// What can be asked of a reservation, and what can happen to it.
#[derive(Debug, Clone, PartialEq, Action)]
#[action(category = "reservation", key = ReservationId, decider = Reservation)]
pub enum ReservationAction {
    /// Orders.
    #[command]
    Place(Order),
    /// Holds the places for longer.
    #[command]
    Extend { until: Timestamp },
    /// Begins to pay; the places stay held at least until `until`.
    #[command]
    StartPayment { payment: PaymentId, until: Timestamp },
    /// The payment came to nothing; another may be tried while the hold lasts.
    #[command]
    FailPayment { payment: PaymentId },
    /// The payment succeeded while the places were held: the order gets its tickets.
    #[command]
    Complete { payment: PaymentId },
    /// The payment succeeded after the order had expired, and its places were taken again: it gets its tickets late.
    #[command]
    CompleteLate { payment: PaymentId },
    /// Gives the order up. While a payment is under way it must have been stopped first, and is named.
    #[command]
    Cancel { stopped: Option<PaymentId> },
    /// The hold is over. A payment that is still under way is named: whatever comes of it comes late.
    #[command]
    Expire { unanswered: Option<PaymentId> },
    /// Its show is cancelled: its hold is over, and what was paid goes back, also what is paid from now on.
    #[command]
    CallOff,
    /// Begins to give tickets back for their money: those that are named, or all that are left.
    #[command]
    StartRefund { refund: RefundId, tickets: Option<Vec<TicketId>>, reason: Option<String> },
    /// The money is back. Whoever tells payment, places and limit in the same append says that it is settled.
    #[command]
    FinishRefund { refund: RefundId, is_settled: bool },

    /// It is ordered.
    #[event]
    Placed { order: Order, at: Timestamp },
    /// The places are held for longer.
    #[event]
    Extended { until: Timestamp },
    /// A payment is under way.
    #[event]
    PaymentStarted { payment: PaymentId, until: Timestamp },
    /// The payment came to nothing.
    #[event]
    PaymentFailed { payment: PaymentId },
    /// It is paid.
    #[event]
    Completed { payment: PaymentId, show: ShowId, customer: UserId, tickets: Vec<Ticket>, at: Timestamp },
    /// It is given up.
    #[event]
    Cancelled,
    /// It was not paid in time.
    #[event]
    Expired,
    /// Its show is cancelled: its hold is over.
    #[event]
    CalledOff { at: Timestamp },
    /// Tickets are being given back: no other refund takes them.
    #[event]
    RefundStarted(TicketRefund),
    /// They were given back.
    #[event]
    Refunded {
        refund: RefundId,
        tickets: Vec<TicketId>,
        amount: Money,
        /// Whether payment, places and limit were told in the same append; else the refunding process tells them.
        is_settled: bool,
    },
}
