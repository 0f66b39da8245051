//! What may happen to an order.

use super::{
    Order, Reservation, ReservationAction, ReservationCommand, ReservationEvent, ReservationStatus,
    TicketRefund,
};
use crate::shared::{
    Line, PaymentId, QuotaId, RefundId, Seat, Ticket, TicketId, places_of, sales_of, worth_of,
};
use composable_rust::prelude::*;
use jiff::Timestamp;
use uuid::Uuid;

/// Most attempts to pay one order: each prolongs its hold, and no hold may last for ever.
const MOST_ATTEMPTS: u32 = 10;

/// Most extensions of a hold, for the same reason.
const MOST_EXTENSIONS: u32 = 10;

/// Why a reservation refuses.
#[derive(Debug, Clone, PartialEq, Eq, Rejection)]
pub enum ReservationRefused {
    /// Not in this state.
    #[rejection(message = "the reservation is {status}")]
    WrongState {
        /// Where it stands.
        status: ReservationStatus,
    },
    /// It is paid.
    #[rejection(message = "the reservation is already paid")]
    AlreadyPaid,
    /// Another payment is under way.
    #[rejection(message = "a payment for this reservation is under way")]
    PaymentInProgress,
    /// Its time is over.
    #[rejection(kind = Gone, message = "the hold has ended and its places are free again")]
    HoldExpired,
    /// It was done too often.
    #[rejection(message = "this may be done at most {limit} times for one reservation")]
    LimitExceeded {
        /// The most.
        limit: u32,
    },
    /// No ticket is left that could be given back, or not these.
    #[rejection(message = "there is nothing left to refund, or a refund of these tickets is under way")]
    NothingToRefund,
    /// Its time is not over yet.
    #[rejection(message = "the hold lasts until {until}")]
    StillHeld {
        /// When it will be.
        until: Timestamp,
    },
}

impl Decider for Reservation {
    type Action = ReservationAction;
    type Rejection = ReservationRefused;

    fn decide(&self, command: ReservationCommand, context: &Context) -> Decision<Self> {
        match command {
            ReservationCommand::Place(_) if self.status != ReservationStatus::Unplaced => {
                Err(ReservationRefused::WrongState { status: self.status })
            }
            ReservationCommand::Place(order) => {
                Ok(vec![ReservationEvent::Placed { order, at: context.now() }])
            }
            ReservationCommand::StartPayment { payment, until } => {
                self.start_payment(payment, until, context)
            }
            ReservationCommand::Extend { until } => self.extend(until, context.now()),
            ReservationCommand::FailPayment { payment } if self.is_paying(payment) => {
                Ok(vec![ReservationEvent::PaymentFailed { payment }])
            }
            ReservationCommand::FailPayment { .. } => Ok(Vec::new()),
            ReservationCommand::Complete { payment } => {
                self.complete(payment, ReservationStatus::Paying, context)
            }
            ReservationCommand::CompleteLate { payment } => {
                self.complete(payment, ReservationStatus::Expired, context)
            }
            ReservationCommand::Cancel { stopped } => self.cancel(stopped),
            ReservationCommand::Expire { unanswered } => self.expire(unanswered, context.now()),
            ReservationCommand::CallOff => Ok(self.call_off(context)),
            ReservationCommand::StartRefund { refund, tickets, reason } => {
                let refund = self.refund(refund, tickets.as_deref(), reason);
                refund.map(|refund| vec![ReservationEvent::RefundStarted(refund)])
            }
            ReservationCommand::FinishRefund { refund, is_settled } => self.finish_refund(refund, is_settled),
        }
    }

    fn evolve(&mut self, event: &ReservationEvent) {
        match event {
            ReservationEvent::Placed { order, at } => {
                self.order = Some(order.clone());
                self.placed_at = *at;
                self.status = ReservationStatus::Held;
            }
            ReservationEvent::PaymentStarted { payment, until } => {
                self.status = ReservationStatus::Paying;
                self.payment = Some(*payment);
                self.attempts = self.attempts.saturating_add(1);
                self.order.iter_mut().for_each(|order| order.until = *until);
            }
            ReservationEvent::Extended { until } => {
                self.extensions = self.extensions.saturating_add(1);
                self.order.iter_mut().for_each(|order| order.until = *until);
            }
            ReservationEvent::PaymentFailed { .. } => {
                self.status = ReservationStatus::Held;
                self.payment = None;
            }
            ReservationEvent::Completed { payment, tickets, .. } => {
                self.status = ReservationStatus::Completed;
                self.payment = Some(*payment);
                self.tickets.clone_from(tickets);
            }
            ReservationEvent::Cancelled => self.status = ReservationStatus::Cancelled,
            ReservationEvent::Expired => self.status = ReservationStatus::Expired,
            ReservationEvent::CalledOff { at } => {
                self.is_called_off = true;
                self.order.iter_mut().for_each(|order| order.until = order.until.min(*at));
            }
            ReservationEvent::RefundStarted(refund) => self.refunds.push(refund.clone()),
            ReservationEvent::Refunded { refund, tickets, .. } => {
                self.refunds.retain(|under_way| under_way.id != *refund);
                self.refunded.extend(tickets);
                let is_all = self.refunded.len() == self.tickets.len();
                self.status =
                    if is_all { ReservationStatus::Refunded } else { ReservationStatus::PartiallyRefunded };
            }
        }
    }
}

impl Reservation {
    fn start_payment(&self, payment: PaymentId, until: Timestamp, context: &Context) -> Decision<Self> {
        let held_until = self.held_until();
        match self.status {
            ReservationStatus::Held if self.is_over(context.now()) => Err(ReservationRefused::HoldExpired),
            ReservationStatus::Held if self.attempts >= MOST_ATTEMPTS => {
                Err(ReservationRefused::LimitExceeded { limit: MOST_ATTEMPTS })
            }
            ReservationStatus::Held => {
                Ok(vec![ReservationEvent::PaymentStarted { payment, until: until.max(held_until) }])
            }
            ReservationStatus::Paying => Err(ReservationRefused::PaymentInProgress),
            ReservationStatus::Completed
            | ReservationStatus::Refunded
            | ReservationStatus::PartiallyRefunded => Err(ReservationRefused::AlreadyPaid),
            ReservationStatus::Expired => Err(ReservationRefused::HoldExpired),
            status @ (ReservationStatus::Unplaced | ReservationStatus::Cancelled) => {
                Err(ReservationRefused::WrongState { status })
            }
        }
    }

    /// Never shortens the hold: a payment may have prolonged it further.
    fn extend(&self, until: Timestamp, now: Timestamp) -> Decision<Self> {
        let held_until = self.held_until();
        match self.status {
            ReservationStatus::Held | ReservationStatus::Paying if self.is_over(now) => {
                Err(ReservationRefused::HoldExpired)
            }
            ReservationStatus::Held | ReservationStatus::Paying if self.extensions >= MOST_EXTENSIONS => {
                Err(ReservationRefused::LimitExceeded { limit: MOST_EXTENSIONS })
            }
            ReservationStatus::Held | ReservationStatus::Paying => {
                Ok(vec![ReservationEvent::Extended { until: until.max(held_until) }])
            }
            ReservationStatus::Completed
            | ReservationStatus::Refunded
            | ReservationStatus::PartiallyRefunded => Err(ReservationRefused::AlreadyPaid),
            ReservationStatus::Expired => Err(ReservationRefused::HoldExpired),
            status @ (ReservationStatus::Unplaced | ReservationStatus::Cancelled) => {
                Err(ReservationRefused::WrongState { status })
            }
        }
    }

    /// Who completes an order must know whether its places are held: those of an expired one may be another's by now.
    fn complete(&self, payment: PaymentId, from: ReservationStatus, context: &Context) -> Decision<Self> {
        let is_ours = self.payment == Some(payment);
        match (self.status, &self.order) {
            (status, _) if status.is_paid() && is_ours => Ok(Vec::new()),
            (status, _) if status.is_paid() => Err(ReservationRefused::AlreadyPaid),
            (status, Some(order)) if is_ours && status == from => {
                let Order { show, customer, .. } = *order;
                let (tickets, at) = (order.issue(context), context.now());
                let refund = context.id(u32::try_from(tickets.len()).unwrap_or(u32::MAX).saturating_mul(2));
                let completed = ReservationEvent::Completed { payment, show, customer, tickets, at };
                // What is paid for a cancelled show goes back at once.
                let mut after = self.clone();
                after.evolve(&completed);
                let back = after.refund(refund, None, None).ok().filter(|_| self.is_called_off);
                Ok([completed].into_iter().chain(back.map(ReservationEvent::RefundStarted)).collect())
            }
            (ReservationStatus::Expired, _) => Err(ReservationRefused::HoldExpired),
            (status, _) => Err(ReservationRefused::WrongState { status }),
        }
    }

    fn cancel(&self, stopped: Option<PaymentId>) -> Decision<Self> {
        match self.status {
            ReservationStatus::Held => Ok(vec![ReservationEvent::Cancelled]),
            ReservationStatus::Paying if stopped == self.payment => Ok(vec![ReservationEvent::Cancelled]),
            ReservationStatus::Paying => Err(ReservationRefused::PaymentInProgress),
            ReservationStatus::Completed
            | ReservationStatus::Refunded
            | ReservationStatus::PartiallyRefunded => Err(ReservationRefused::AlreadyPaid),
            ReservationStatus::Expired => Err(ReservationRefused::HoldExpired),
            ReservationStatus::Cancelled => Ok(Vec::new()),
            status @ ReservationStatus::Unplaced => Err(ReservationRefused::WrongState { status }),
        }
    }

    fn expire(&self, unanswered: Option<PaymentId>, now: Timestamp) -> Decision<Self> {
        let until = self.held_until();
        match self.status {
            ReservationStatus::Held | ReservationStatus::Paying if !self.is_over(now) => {
                Err(ReservationRefused::StillHeld { until })
            }
            ReservationStatus::Held => Ok(vec![ReservationEvent::Expired]),
            ReservationStatus::Paying if unanswered == self.payment => Ok(vec![ReservationEvent::Expired]),
            ReservationStatus::Paying => Err(ReservationRefused::PaymentInProgress),
            ReservationStatus::Completed
            | ReservationStatus::Refunded
            | ReservationStatus::PartiallyRefunded => Err(ReservationRefused::AlreadyPaid),
            ReservationStatus::Expired | ReservationStatus::Cancelled => Ok(Vec::new()),
            status @ ReservationStatus::Unplaced => Err(ReservationRefused::WrongState { status }),
        }
    }

    /// Gives back the tickets that are named, or all that are left: all of them or none.
    fn refund(
        &self,
        id: RefundId,
        named: Option<&[TicketId]>,
        reason: Option<String>,
    ) -> Result<TicketRefund, ReservationRefused> {
        let is_named = |ticket: &&Ticket| named.is_none_or(|named| named.contains(&ticket.id));
        let tickets: Vec<_> = self.refundable().filter(is_named).collect();
        let is_whole = named.is_none_or(|named| named.len() == tickets.len());
        let amount = worth_of(tickets.iter().copied()).filter(|_| is_whole);
        match (amount, self.payment, &self.order) {
            (Some(amount), Some(payment), Some(order)) => Ok(TicketRefund {
                id,
                payment,
                quota: QuotaId::of(order.show, order.customer),
                places: places_of(tickets.iter().copied()),
                sales: sales_of(tickets.iter().copied()),
                tickets: tickets.into_iter().map(|ticket| ticket.id).collect(),
                amount,
                reason,
            }),
            (None, ..) | (_, None, _) | (.., None) => Err(ReservationRefused::NothingToRefund),
        }
    }

    /// Of those who know that the money is back, the first finishes the refund; the others are refused.
    fn finish_refund(&self, refund: RefundId, is_settled: bool) -> Decision<Self> {
        let under_way = self.refunds.iter().find(|under_way| under_way.id == refund);
        let TicketRefund { tickets, amount, .. } = under_way.ok_or(ReservationRefused::NothingToRefund)?;
        let (tickets, amount) = (tickets.clone(), *amount);
        Ok(vec![ReservationEvent::Refunded { refund, tickets, amount, is_settled }])
    }

    /// The first time only: later there is nothing more to end.
    fn call_off(&self, context: &Context) -> Vec<ReservationEvent> {
        match self.status {
            ReservationStatus::Held
            | ReservationStatus::Paying
            | ReservationStatus::Expired
            | ReservationStatus::Completed
            | ReservationStatus::PartiallyRefunded
                if !self.is_called_off =>
            {
                let back = self.refund(context.id(0), None, None).ok();
                let called_off = ReservationEvent::CalledOff { at: context.now() };
                [called_off].into_iter().chain(back.map(ReservationEvent::RefundStarted)).collect()
            }
            ReservationStatus::Unplaced
            | ReservationStatus::Held
            | ReservationStatus::Paying
            | ReservationStatus::Expired
            | ReservationStatus::Completed
            | ReservationStatus::PartiallyRefunded
            | ReservationStatus::Cancelled
            | ReservationStatus::Refunded => Vec::new(),
        }
    }

    fn is_paying(&self, payment: PaymentId) -> bool {
        self.status == ReservationStatus::Paying && self.payment == Some(payment)
    }

    /// Whether the hold is over.
    fn is_over(&self, now: Timestamp) -> bool {
        self.is_called_off || now >= self.held_until()
    }

    fn held_until(&self) -> Timestamp {
        self.order.as_ref().map_or(Timestamp::MIN, |order| order.until)
    }
}

impl Order {
    /// A ticket for each place, with ids and codes that the command determines.
    fn issue(&self, context: &Context) -> Vec<Ticket> {
        let places = self.lines.iter().flat_map(|line| {
            let seat = move |place: u32| (line, line.seats.get(place as usize));
            (0..line.quantity).map(seat)
        });
        let ticket = |(ordinal, (line, seat)): (u32, (&Line, Option<&Seat>))| Ticket {
            id: context.id(ordinal.saturating_mul(2)),
            section_id: line.section_id,
            section: line.section.clone(),
            tier_id: line.tier_id,
            tier: line.tier.clone(),
            price: line.price,
            seat_id: seat.map(|seat| seat.id),
            row: seat.map(|seat| seat.row.clone()),
            seat: seat.map(|seat| seat.number),
            code: code_of(context.id(ordinal.saturating_mul(2).saturating_add(1))),
        };
        (0..).zip(places).map(ticket).collect()
    }
}

/// The 62 bits of an id that no clock determines, as 16 characters.
fn code_of(id: Uuid) -> String {
    format!("{:016X}", id.as_u64_pair().1)
}
