//! What happens next to an order.
//!
//! The order's own stream is the authority over what it is; the gateway is the authority over the money. This process
//! brings the two together again whenever a request did not live long enough to do it.

use super::{Attempt, Checkout, CheckoutInput, CheckoutTimer, Order, Stage};
use crate::inventory::{InventoryCommand, InventoryEvent};
use crate::payment::gateway::{ChargeAnswer, StopAnswer};
use crate::payment::{Charge, PaymentCommand, PaymentEvent, Refund, RefundOutcome, StopCharge};
use crate::quota::QuotaCommand;
use crate::reservation::{self, ReservationCommand, ReservationEvent, ReservationRefused};
use crate::shared::{PaymentId, QuotaId, ReservationId, SectionId, holds_of};
use composable_rust::later;
use composable_rust::prelude::*;
use jiff::Timestamp;
use std::time::Duration;

/// How long a request may take to settle its payment before the process asks.
const GRACE: Duration = Duration::from_secs(2);
/// How long after an attempt that found no answer the gateway is asked again.
const PATIENCE: Duration = Duration::from_secs(30);

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
            // That a payment starts is told by the payment, with amount and method; what else happens to payments and
            // places follows from the order's events. Answers and timers return to their instance by themselves.
            CheckoutInput::Reservation(_, ReservationEvent::PaymentStarted { .. })
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
                self.attempt = Some(Attempt { payment, amount: terms.amount, method: terms.method });
                steps![
                    schedule(CheckoutTimer::HoldEnds, terms.until),
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
                | InventoryCommand::OpenSales
                | InventoryCommand::CloseSales
                | InventoryCommand::Hold { .. }
                | InventoryCommand::Confirm { .. }
                | InventoryCommand::Release { .. } => steps![],
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
                steps![schedule(CheckoutTimer::HoldEnds, placed.until)]
            }
            ReservationEvent::PaymentFailed { .. } => {
                self.attempt = None;
                self.payment_failed(order)
            }
            ReservationEvent::Completed { .. } => self.end(Stage::Completed),
            ReservationEvent::Cancelled => self.end(Stage::Cancelled),
            ReservationEvent::Expired => self.expired(order),
            ReservationEvent::PaymentStarted { .. } => steps![],
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
            _ => steps![],
        }
    }

    /// Asks the gateway about the payment that nobody has settled; it charges once, however often it is asked.
    fn ask(&self) -> Steps<Self> {
        let Some(Attempt { payment, amount, method }) = self.attempt.clone() else { return steps![] };
        steps![call(Charge { payment, amount, method })]
    }

    fn charged(
        &mut self,
        order: ReservationId,
        payment: PaymentId,
        answer: ChargeAnswer,
        now: Timestamp,
    ) -> Steps<Self> {
        if self.attempt.as_ref().is_none_or(|attempt| attempt.payment != payment) {
            return steps![];
        }
        match answer {
            ChargeAnswer::Succeeded => self.paid(order, payment),
            ChargeAnswer::Declined { reason } => {
                self.unpaid(order, payment, PaymentCommand::Decline { reason })
            }
            ChargeAnswer::Stopped => self.unpaid(order, payment, PaymentCommand::Cancel),
            ChargeAnswer::Unanswered => steps![schedule(CheckoutTimer::Reconcile, later(now, PATIENCE))],
        }
    }

    /// The money is here: in time it buys the places that are held, late those that are still free.
    fn paid(&mut self, order: ReservationId, payment: PaymentId) -> Steps<Self> {
        let holds = self.order.as_ref().map(|order| order.holds.clone()).unwrap_or_default();
        let mut steps = steps![dispatch(payment, PaymentCommand::Succeed)];
        match &mut self.stage {
            Stage::Paying | Stage::Stopping | Stage::Settling => {
                self.stage = Stage::Settling;
                steps.push(dispatch(order, ReservationCommand::Complete { payment }));
                steps.extend(holds.keys().map(|section| confirm(*section, order)));
            }
            // Whether it came in time is being decided.
            Stage::Expiring { is_paid } => *is_paid = true,
            Stage::Expired => steps.extend(self.retake(order)),
            Stage::Holding
            | Stage::Retaking { .. }
            | Stage::Refunding
            | Stage::Completed
            | Stage::Cancelled => {}
        }
        steps
    }

    /// The money came late: takes the places again. A section refuses while it still holds them for the same order, so
    /// a release that is on its way cannot free what was taken again.
    fn retake(&mut self, order: ReservationId) -> Steps<Self> {
        let Some(Order { holds, .. }) = &self.order else { return steps![] };
        self.stage =
            Stage::Retaking { open: u32::try_from(holds.len()).unwrap_or(u32::MAX), taken: Vec::new() };
        let retake = |(section, quantity): (&SectionId, &u32)| {
            dispatch(*section, InventoryCommand::Retake { reservation: order, quantity: *quantity })
        };
        holds.iter().map(retake).collect()
    }

    /// No money will come: the payment ends, and the order goes back to being held.
    fn unpaid(&mut self, order: ReservationId, payment: PaymentId, command: PaymentCommand) -> Steps<Self> {
        let mut steps = steps![dispatch(payment, command)];
        if self.stage == Stage::Expired {
            self.attempt = None;
        } else {
            steps.push(dispatch(order, ReservationCommand::FailPayment { payment }));
        }
        steps
    }

    fn stopped(
        &mut self,
        order: ReservationId,
        payment: PaymentId,
        answer: StopAnswer,
        now: Timestamp,
    ) -> Steps<Self> {
        if self.stage != Stage::Stopping
            || self.attempt.as_ref().is_none_or(|attempt| attempt.payment != payment)
        {
            return steps![];
        }
        match answer {
            StopAnswer::AlreadyCharged => self.paid(order, payment),
            StopAnswer::Stopped => self.unpaid(order, payment, PaymentCommand::Cancel),
            // Others wait for the places: whatever comes of the payment comes late.
            StopAnswer::Unanswered => {
                self.stage = Stage::Expiring { is_paid: false };
                steps![
                    dispatch(order, ReservationCommand::Expire { unanswered: Some(payment) }),
                    schedule(CheckoutTimer::Reconcile, later(now, PATIENCE)),
                ]
            }
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

    /// A section has given its places again, or has none.
    fn retaken(&mut self, order: ReservationId, section: Option<SectionId>) -> Steps<Self> {
        let Stage::Retaking { open, taken } = &mut self.stage else { return steps![] };
        *open = open.saturating_sub(1);
        taken.extend(section);
        if *open > 0 {
            return steps![];
        }
        let taken = std::mem::take(taken);
        let (Some(placed), Some(attempt)) = (&self.order, &self.attempt) else { return steps![] };
        if taken.len() < placed.holds.len() {
            let mut steps: Steps<Self> = taken.iter().map(|section| release(*section, order)).collect();
            steps.extend(self.refund());
            return steps;
        }
        let payment = attempt.payment;
        let quantity = placed.holds.values().fold(0_u32, |sum, places| sum.saturating_add(*places));
        let counted = QuotaCommand::Take { reservation: order, quantity, limit: None };
        let mut steps = steps![
            dispatch(order, ReservationCommand::Complete { payment }),
            dispatch(placed.quota.clone(), counted),
        ];
        steps.extend(taken.iter().map(|section| confirm(*section, order)));
        self.stage = Stage::Settling;
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
            (ReservationCommand::Complete { .. }, _) => self.refund(),
            // Whoever was faster has said so by an event.
            _ => steps![],
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

    fn refund(&mut self) -> Steps<Self> {
        let Some(Attempt { payment, amount, .. }) = self.attempt.clone() else { return steps![] };
        self.stage = Stage::Refunding;
        steps![call(Refund { payment, amount })]
    }

    fn refunded(&mut self, call: &Refund, answer: RefundOutcome, now: Timestamp) -> Steps<Self> {
        let Refund { payment, amount } = *call;
        match answer {
            RefundOutcome::Refunded => {
                self.attempt = None;
                steps![dispatch(payment, PaymentCommand::Refund { amount })]
            }
            RefundOutcome::Unanswered => steps![schedule(CheckoutTimer::RefundAgain, later(now, PATIENCE))],
        }
    }
}

impl Order {
    fn of(order: &reservation::Order) -> Self {
        Self { quota: QuotaId::of(order.show, order.customer), holds: holds_of(&order.lines) }
    }
}

fn release(section: SectionId, reservation: ReservationId) -> Step<Checkout> {
    dispatch(section, InventoryCommand::Release { reservation })
}

fn confirm(section: SectionId, reservation: ReservationId) -> Step<Checkout> {
    dispatch(section, InventoryCommand::Confirm { reservation })
}
