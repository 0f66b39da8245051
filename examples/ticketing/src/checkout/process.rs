//! What happens next to an order.
//!
//! The order's own stream is the authority over what it is; the gateway is the authority over the money. This process
//! brings the two together again whenever a request did not live long enough to do it.

use super::money::GRACE;
use super::{Attempt, Checkout, CheckoutInput, CheckoutTimer, Order, Stage};
use crate::inventory::{InventoryCommand, InventoryEvent};
use crate::payment::{NewPayment, PaymentEvent, StopCharge};
use crate::quota::QuotaCommand;
use crate::reservation::{self, ReservationCommand, ReservationEvent, ReservationRefused};
use crate::shared::{QuotaId, ReservationId, SectionId, holds_of};
use composable_rust::later;
use composable_rust::prelude::*;
use jiff::Timestamp;

impl Process for Checkout {
    type Input = CheckoutInput;
    const NAME: &'static str = "checkout";

    fn id(input: &CheckoutInput) -> Option<ProcessId> {
        match input {
            CheckoutInput::Payment(_, PaymentEvent::Started { terms, .. }) => {
                Some(ProcessId::of(&terms.reservation))
            }
            CheckoutInput::Inventory(_, InventoryEvent::SeatsRetaken { reservation, .. }) => {
                Some(ProcessId::of(reservation))
            }
            // That a payment starts is told by the payment, with amount and method; refunds have a process of their own;
            // what else happens to payments and
            // places follows from the order's events. Answers and timers return to their instance by themselves.
            CheckoutInput::Reservation(
                _,
                ReservationEvent::PaymentStarted { .. }
                | ReservationEvent::RefundStarted(_)
                | ReservationEvent::Refunded { .. },
            )
            | CheckoutInput::Payment(..)
            | CheckoutInput::Inventory(..)
            | CheckoutInput::OrderRefused(_)
            | CheckoutInput::PaymentRefused(_)
            | CheckoutInput::PlacesRefused(_)
            | CheckoutInput::QuotaRefused(_)
            | CheckoutInput::Charged(_)
            | CheckoutInput::Stopped(_)
            | CheckoutInput::Refunded(_)
            | CheckoutInput::HoldEnds
            | CheckoutInput::Reconcile
            | CheckoutInput::RefundAgain => None,
            CheckoutInput::Reservation(reservation, _) => Some(ProcessId::of(reservation)),
        }
    }

    fn react(&mut self, input: Recorded<CheckoutInput>) -> Steps<Self> {
        let Recorded { body, key: process, recorded_at: now, .. } = input;
        let Ok(order) = process.as_str().parse::<ReservationId>() else { return steps![] };
        match body {
            CheckoutInput::Reservation(_, event) => self.order_changed(order, event),
            CheckoutInput::Payment(payment, PaymentEvent::Started { terms, .. }) => {
                self.stage = Stage::Paying;
                let NewPayment { amount, method, until, .. } = terms;
                self.attempt = Some(Attempt { payment, amount, method, until, since: now });
                // An extension that the request did not see lasts longer than its payment.
                self.held_until = self.held_until.max(until);
                steps![
                    schedule(CheckoutTimer::HoldEnds, self.held_until),
                    schedule(CheckoutTimer::Reconcile, later(now, GRACE)),
                ]
            }
            CheckoutInput::HoldEnds => self.hold_ends(order),
            CheckoutInput::Reconcile => self.ask(),
            CheckoutInput::Charged(Outcome { call, answer }) => {
                self.charged(order, call.payment, answer, now)
            }
            CheckoutInput::Stopped(Outcome { call, answer }) => {
                self.stopped(order, call.payment, answer, now)
            }
            CheckoutInput::Inventory(section, InventoryEvent::SeatsRetaken { .. }) => {
                self.retaken(order, Some(section))
            }
            CheckoutInput::PlacesRefused(refused) => match refused.command {
                InventoryCommand::Retake { .. } => self.retaken(order, None),
                // Confirm and Release never refuse; the others are not ours.
                InventoryCommand::Initialise { .. }
                | InventoryCommand::InitialiseOnSale { .. }
                | InventoryCommand::OpenSales
                | InventoryCommand::CloseSales
                | InventoryCommand::Cancel
                | InventoryCommand::Adjust { .. }
                | InventoryCommand::Hold { .. }
                | InventoryCommand::Confirm { .. }
                | InventoryCommand::Release { .. }
                | InventoryCommand::TakeBack { .. } => steps![],
            },
            CheckoutInput::OrderRefused(refused) => self.order_refused(order, &refused),
            CheckoutInput::RefundAgain => self.refund(),
            CheckoutInput::Refunded(Outcome { call, answer }) => self.refunded(&call, answer, now),
            // A payment that is settled otherwise was settled by the request; a quota refuses only where there is a
            // limit, and a late order has none.
            CheckoutInput::PaymentRefused(_)
            | CheckoutInput::QuotaRefused(_)
            | CheckoutInput::Payment(..)
            | CheckoutInput::Inventory(..) => steps![],
        }
    }
}

impl Checkout {
    fn order_changed(&mut self, order: ReservationId, event: ReservationEvent) -> Steps<Self> {
        match event {
            ReservationEvent::Placed { order: placed, .. } => {
                self.order = Some(Order::of(&placed));
                self.held_until = placed.until;
                steps![schedule(CheckoutTimer::HoldEnds, placed.until)]
            }
            ReservationEvent::Extended { until } => {
                self.held_until = until;
                steps![schedule(CheckoutTimer::HoldEnds, until)]
            }
            ReservationEvent::PaymentFailed { .. } => {
                self.attempt = None;
                self.payment_failed(order)
            }
            ReservationEvent::Completed { .. } => self.end(Stage::Completed),
            ReservationEvent::Cancelled => self.end(Stage::Cancelled),
            ReservationEvent::Expired => self.expired(order),
            ReservationEvent::CalledOff { .. } => self.hold_ends(order),
            ReservationEvent::PaymentStarted { .. }
            | ReservationEvent::RefundStarted(_)
            | ReservationEvent::Refunded { .. } => steps![],
        }
    }

    fn payment_failed(&mut self, order: ReservationId) -> Steps<Self> {
        let mut steps = steps![cancel(CheckoutTimer::Reconcile)];
        match self.stage {
            Stage::Stopping => {
                self.stage = Stage::Holding;
                steps.push(dispatch(order, ReservationCommand::Expire { unanswered: None }));
            }
            Stage::Paying => self.stage = Stage::Holding,
            Stage::Holding
            | Stage::Expiring { .. }
            | Stage::Settling
            | Stage::Expired
            | Stage::Retaking { .. }
            | Stage::Refunding
            | Stage::Completed
            | Stage::Cancelled => {}
        }
        steps
    }

    /// Nothing more will happen by itself.
    fn end(&mut self, stage: Stage) -> Steps<Self> {
        self.stage = stage;
        self.attempt = None;
        steps![cancel(CheckoutTimer::HoldEnds), cancel(CheckoutTimer::Reconcile)]
    }

    fn hold_ends(&mut self, order: ReservationId) -> Steps<Self> {
        match (&self.stage, &self.attempt) {
            (Stage::Holding, _) => steps![dispatch(order, ReservationCommand::Expire { unanswered: None })],
            (Stage::Paying, Some(attempt)) => {
                let stop = StopCharge { payment: attempt.payment };
                self.stage = Stage::Stopping;
                steps![call(stop)]
            }
            // It is being settled, or it is over.
            (
                Stage::Paying
                | Stage::Stopping
                | Stage::Expiring { .. }
                | Stage::Settling
                | Stage::Expired
                | Stage::Retaking { .. }
                | Stage::Refunding
                | Stage::Completed
                | Stage::Cancelled,
                _,
            ) => steps![],
        }
    }

    /// The order is over: its places are free again and count no longer. Money that came meanwhile came late.
    fn expired(&mut self, order: ReservationId) -> Steps<Self> {
        let is_paid = std::mem::replace(&mut self.stage, Stage::Expired) == Stage::Expiring { is_paid: true };
        let Some(Order { quota, holds }) = &self.order else { return steps![] };
        let mut steps: Steps<Self> = holds.keys().map(|section| release(*section, order)).collect();
        steps.push(dispatch(quota.clone(), QuotaCommand::GiveBack { reservation: order }));
        if is_paid {
            steps.extend(self.retake(order));
        }
        steps
    }

    fn order_refused(
        &mut self,
        order: ReservationId,
        refused: &Rejected<reservation::Reservation>,
    ) -> Steps<Self> {
        match (&refused.command, &refused.rejection) {
            (ReservationCommand::Expire { .. }, ReservationRefused::StillHeld { until }) => {
                self.still_held(order, *until)
            }
            // The money is here and the order is gone.
            (ReservationCommand::Complete { .. } | ReservationCommand::CompleteLate { .. }, _) => {
                self.refund()
            }
            // Whoever was faster has said so by an event; the others are the requests' own.
            (
                ReservationCommand::Expire { .. }
                | ReservationCommand::Place(_)
                | ReservationCommand::Extend { .. }
                | ReservationCommand::StartPayment { .. }
                | ReservationCommand::FailPayment { .. }
                | ReservationCommand::Cancel { .. }
                | ReservationCommand::CallOff
                | ReservationCommand::StartRefund { .. }
                | ReservationCommand::FinishRefund { .. },
                _,
            ) => steps![],
        }
    }

    /// The timer was early, or a payment has prolonged the hold in the meantime.
    fn still_held(&mut self, order: ReservationId, until: Timestamp) -> Steps<Self> {
        let payment = self.attempt.as_ref().map(|attempt| attempt.payment);
        if let Stage::Expiring { is_paid } = self.stage {
            self.stage = if payment.is_some() { Stage::Paying } else { Stage::Holding };
            if let Some(payment) = payment.filter(|_| is_paid) {
                return self.paid(order, payment);
            }
        }
        steps![schedule(CheckoutTimer::HoldEnds, until)]
    }
}

impl Order {
    fn of(order: &reservation::Order) -> Self {
        Self { quota: QuotaId::of(order.show, order.customer), holds: holds_of(&order.lines) }
    }
}

pub(super) fn release(section: SectionId, reservation: ReservationId) -> Step<Checkout> {
    dispatch(section, InventoryCommand::Release { reservation })
}

pub(super) fn confirm(section: SectionId, reservation: ReservationId) -> Step<Checkout> {
    dispatch(section, InventoryCommand::Confirm { reservation })
}
