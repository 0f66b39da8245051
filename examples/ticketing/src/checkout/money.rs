//! What the gateway's answers mean for an order.

use super::process::confirm;
use super::{Attempt, Checkout, CheckoutTimer, Stage};
use crate::payment::gateway::{ChargeAnswer, StopAnswer};
use crate::payment::{Charge, PaymentCommand, StopCharge};
use crate::reservation::ReservationCommand;
use crate::shared::{PaymentId, ReservationId};
use composable_rust::prelude::*;
use composable_rust::{elapsed, later};
use jiff::Timestamp;
use std::time::Duration;

/// The longest time after an attempt that found no answer until the gateway is asked again.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// The shortest: money that comes just after the end of the hold wants its places while they are free.
const SOON: Duration = Duration::from_secs(1);

/// How long a request may take to settle its payment before the process asks.
pub(super) const GRACE: Duration = Duration::from_secs(2);

impl Checkout {
    /// Asks the gateway about the payment that nobody has settled; it charges once, however often it is asked. When the
    /// hold is over nobody is charged any longer: then it says what came of it in time, or it is stopped.
    pub(super) fn ask(&self) -> Steps<Self> {
        let Some(Attempt { payment, amount, method, until, .. }) = self.attempt.clone() else {
            return steps![];
        };
        match self.stage {
            Stage::Expiring { .. } | Stage::Expired => steps![call(StopCharge { payment })],
            Stage::Holding
            | Stage::Paying
            | Stage::Stopping
            | Stage::Settling
            | Stage::Retaking { .. }
            | Stage::Refunding
            | Stage::Completed
            | Stage::Cancelled => steps![call(Charge { payment, amount, method, until })],
        }
    }

    pub(super) fn charged(
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
            // The payer has until the hold ends; afterwards nobody may be asked any longer.
            ChargeAnswer::RequiresAction if self.stage == Stage::Expired => {
                steps![call(StopCharge { payment })]
            }
            ChargeAnswer::RequiresAction => {
                steps![dispatch(payment, PaymentCommand::RequireAction), self.ask_again(now),]
            }
            ChargeAnswer::Unanswered => steps![self.ask_again(now)],
        }
    }

    /// The money is here: in time it buys the places that are held, late those that are still free.
    pub(super) fn paid(&mut self, order: ReservationId, payment: PaymentId) -> Steps<Self> {
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

    /// No money will come: the payment ends, and the order goes back to being held.
    pub(super) fn unpaid(
        &mut self,
        order: ReservationId,
        payment: PaymentId,
        command: PaymentCommand,
    ) -> Steps<Self> {
        let mut steps = steps![dispatch(payment, command)];
        if self.stage == Stage::Expired {
            self.attempt = None;
        } else {
            steps.push(dispatch(order, ReservationCommand::FailPayment { payment }));
        }
        steps
    }

    pub(super) fn stopped(
        &mut self,
        order: ReservationId,
        payment: PaymentId,
        answer: StopAnswer,
        now: Timestamp,
    ) -> Steps<Self> {
        let is_ended = matches!(self.stage, Stage::Expiring { .. } | Stage::Expired);
        let is_asked = is_ended || self.stage == Stage::Stopping;
        if !is_asked || self.attempt.as_ref().is_none_or(|attempt| attempt.payment != payment) {
            return steps![];
        }
        match answer {
            StopAnswer::AlreadyCharged => self.paid(order, payment),
            StopAnswer::Stopped => self.unpaid(order, payment, PaymentCommand::Cancel),
            StopAnswer::Unanswered if is_ended => steps![self.ask_again(now)],
            // Others wait for the places: whatever comes of the payment comes late.
            StopAnswer::Unanswered => {
                self.stage = Stage::Expiring { is_paid: false };
                steps![
                    dispatch(order, ReservationCommand::Expire { unanswered: Some(payment) }),
                    self.ask_again(now),
                ]
            }
        }
    }

    /// Asks when twice the time has gone by since the payment began, or since its hold ended: soon at first, seldom
    /// after a while.
    fn ask_again(&self, now: Timestamp) -> Step<Self> {
        let began = self.attempt.as_ref().map_or(now, |attempt| attempt.since);
        let since = if self.held_until <= now { self.held_until } else { began };
        schedule(CheckoutTimer::Reconcile, later(now, elapsed(since, now).clamp(SOON, PATIENCE)))
    }
}
