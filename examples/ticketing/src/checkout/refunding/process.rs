//! What happens next to a refund.

use crate::checkout::money::{GRACE, PATIENCE};
use crate::inventory::{Inventory, InventoryCommand};
use crate::payment::{Payment, PaymentCommand, Refund, RefundOutcome};
use crate::quota::{Quota, QuotaCommand};
use crate::reservation::{Reservation, ReservationCommand, ReservationEvent, TicketRefund};
use crate::shared::ReservationId;
use composable_rust::later;
use composable_rust::prelude::*;

/// One refund.
#[derive(Debug, Clone, Default, PartialEq, State)]
pub struct Refunding {
    /// Of which order; there from the first input on.
    pub order: Option<ReservationId>,
    /// What is given back.
    pub refund: Option<TicketRefund>,
}

/// What it hears.
#[derive(Debug, Clone, PartialEq, Input)]
pub enum RefundingInput {
    /// Something happened to an order.
    Reservation(ReservationId, ReservationEvent),

    /// An order refused.
    #[rejected]
    OrderRefused(Rejected<Reservation>),
    /// A payment refused.
    #[rejected]
    PaymentRefused(Rejected<Payment>),
    /// A section refused.
    #[rejected]
    PlacesRefused(Rejected<Inventory>),
    /// A customer's limit refused.
    #[rejected]
    QuotaRefused(Rejected<Quota>),

    /// The gateway said whether it gave the money back.
    #[outcome]
    GivenBack(Outcome<Refund>),

    /// It is time to finish a refund that nobody has finished.
    #[timer]
    Finish,
}

impl Process for Refunding {
    type Input = RefundingInput;
    const NAME: &'static str = "refunding";

    fn id(input: &RefundingInput) -> Option<ProcessId> {
        match input {
            RefundingInput::Reservation(_, ReservationEvent::RefundStarted(refund)) => {
                Some(ProcessId::of(&refund.id))
            }
            RefundingInput::Reservation(_, ReservationEvent::Refunded { refund, .. }) => {
                Some(ProcessId::of(refund))
            }
            // The rest of an order's life is the checkout's. Answers and timers return to their instance by themselves.
            RefundingInput::Reservation(..)
            | RefundingInput::OrderRefused(_)
            | RefundingInput::PaymentRefused(_)
            | RefundingInput::PlacesRefused(_)
            | RefundingInput::QuotaRefused(_)
            | RefundingInput::GivenBack(_)
            | RefundingInput::Finish => None,
        }
    }

    fn react(&mut self, input: Recorded<RefundingInput>) -> Steps<Self> {
        let Recorded { body, recorded_at: now, .. } = input;
        match body {
            RefundingInput::Reservation(order, ReservationEvent::RefundStarted(refund)) => {
                (self.order, self.refund) = (Some(order), Some(refund));
                steps![schedule(RefundingTimer::Finish, later(now, GRACE))]
            }
            RefundingInput::Reservation(_, ReservationEvent::Refunded { is_settled, .. }) => {
                let mut steps = steps![cancel(RefundingTimer::Finish)];
                if !is_settled {
                    steps.extend(self.tell());
                }
                steps
            }
            RefundingInput::Finish => self.give_back(),
            RefundingInput::GivenBack(Outcome { answer: RefundOutcome::Refunded, .. }) => self.finish(),
            RefundingInput::GivenBack(Outcome { answer: RefundOutcome::Unanswered, .. }) => {
                steps![schedule(RefundingTimer::Finish, later(now, PATIENCE))]
            }
            // An order refuses to finish what a request was faster to finish; the others have no reason to refuse.
            RefundingInput::Reservation(..)
            | RefundingInput::OrderRefused(_)
            | RefundingInput::PaymentRefused(_)
            | RefundingInput::PlacesRefused(_)
            | RefundingInput::QuotaRefused(_) => steps![],
        }
    }
}

impl Refunding {
    /// Moves the money; what cost nothing needs no gateway.
    fn give_back(&self) -> Steps<Self> {
        let Some(TicketRefund { id, payment, amount, .. }) = self.refund else { return steps![] };
        if amount.is_zero() { self.finish() } else { steps![call(Refund { payment, refund: id, amount })] }
    }

    fn finish(&self) -> Steps<Self> {
        let (Some(order), Some(refund)) = (self.order, &self.refund) else { return steps![] };
        steps![dispatch(order, ReservationCommand::FinishRefund { refund: refund.id, is_settled: false })]
    }

    /// Tells those who were not told together with the order.
    fn tell(&self) -> Steps<Self> {
        let (Some(reservation), Some(refund)) = (self.order, &self.refund) else { return steps![] };
        let TicketRefund { id, payment, amount, quota, places, .. } = refund;
        let mut steps = steps![dispatch(*payment, PaymentCommand::Refund { refund: *id, amount: *amount })];
        steps.extend(places.iter().map(|(section, places)| {
            dispatch(*section, InventoryCommand::TakeBack { reservation, places: places.clone() })
        }));
        let quantity = refund.quantity();
        steps.push(dispatch(quota.clone(), QuotaCommand::GiveBackSome { reservation, quantity }));
        steps
    }
}
