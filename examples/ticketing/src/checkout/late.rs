//! What becomes of money that came after the hold had ended: places that are still free, or the money back.

use super::money::PATIENCE;
use super::process::{confirm, release};
use super::{Attempt, Checkout, CheckoutTimer, Order, Stage};
use crate::inventory::InventoryCommand;
use crate::payment::{PaymentCommand, Refund, RefundOutcome};
use crate::quota::QuotaCommand;
use crate::reservation::ReservationCommand;
use crate::shared::{Places, RefundId, ReservationId, SectionId};
use composable_rust::later;
use composable_rust::prelude::*;
use jiff::Timestamp;

impl Checkout {
    /// The money came late: takes the places again. A section refuses while it still holds them for the same order, so
    /// a release that is on its way cannot free what was taken again.
    pub(super) fn retake(&mut self, order: ReservationId) -> Steps<Self> {
        let Some(Order { holds, .. }) = &self.order else { return steps![] };
        self.stage =
            Stage::Retaking { open: u32::try_from(holds.len()).unwrap_or(u32::MAX), taken: Vec::new() };
        let retake = |(section, places): (&SectionId, &Places)| {
            let places = places.clone();
            dispatch(*section, InventoryCommand::Retake { reservation: order, places })
        };
        holds.iter().map(retake).collect()
    }

    /// A section has given its places again, or has none.
    pub(super) fn retaken(&mut self, order: ReservationId, section: Option<SectionId>) -> Steps<Self> {
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
        let quantity = placed.holds.values().fold(0_u32, |sum, places| sum.saturating_add(places.quantity));
        let counted = QuotaCommand::Take { reservation: order, quantity, limit: None };
        // Counted before there are tickets: when they go back at once, they are counted no longer.
        let mut steps = steps![
            dispatch(placed.quota.clone(), counted),
            dispatch(order, ReservationCommand::CompleteLate { payment }),
        ];
        steps.extend(taken.iter().map(|section| confirm(*section, order)));
        self.stage = Stage::Settling;
        steps
    }

    pub(super) fn refund(&mut self) -> Steps<Self> {
        let Some(Attempt { payment, amount, .. }) = self.attempt.clone() else { return steps![] };
        self.stage = Stage::Refunding;
        steps![call(Refund { payment, refund: RefundId::of_all(payment), amount })]
    }

    pub(super) fn refunded(&mut self, call: &Refund, answer: RefundOutcome, now: Timestamp) -> Steps<Self> {
        let Refund { payment, refund, amount } = *call;
        match answer {
            RefundOutcome::Refunded => {
                self.attempt = None;
                steps![dispatch(payment, PaymentCommand::Refund { refund, amount })]
            }
            RefundOutcome::Unanswered => steps![schedule(CheckoutTimer::RefundAgain, later(now, PATIENCE))],
        }
    }
}
