//! What happens next to a refund, as sentences.

use super::*;
use crate::inventory::InventoryCommand;
use crate::payment::{PaymentCommand, Refund, RefundOutcome};
use crate::quota::QuotaCommand;
use crate::reservation::{
    Reservation, ReservationCommand, ReservationEvent, ReservationRefused, TicketRefund,
};
use crate::shared::{
    Currency, Money, PaymentId, Places, QuotaId, RefundId, ReservationId, SectionId, ShowId, TicketId,
};
use composable_rust::later;
use composable_rust::prelude::*;
use composable_rust::testing::spec::START;
use std::time::Duration;
use uuid::Uuid;

fn order() -> ReservationId {
    ReservationId::from(Uuid::from_u128(1))
}

fn refund_of(cents: i64) -> TicketRefund {
    let places = Places { quantity: 2, seats: vec![4, 5] };
    TicketRefund {
        id: RefundId::from(Uuid::from_u128(7)),
        payment: PaymentId::from(Uuid::from_u128(2)),
        quota: QuotaId::of(ShowId::from(Uuid::from_u128(9)), UserId::from_uuid(Uuid::from_u128(8))),
        tickets: vec![TicketId::from(Uuid::from_u128(3)), TicketId::from(Uuid::from_u128(4))],
        places: [(SectionId::from(Uuid::from_u128(11)), places)].into(),
        amount: Money::new(cents, Currency::EUR),
        sales: std::collections::BTreeMap::new(),
        reason: None,
    }
}

fn started() -> RefundingInput {
    RefundingInput::Reservation(order(), ReservationEvent::RefundStarted(refund_of(9_000)))
}

fn refunded(is_settled: bool) -> RefundingInput {
    let TicketRefund { id, tickets, amount, .. } = refund_of(9_000);
    let event = ReservationEvent::Refunded { refund: id, tickets, amount, is_settled };
    RefundingInput::Reservation(order(), event)
}

fn call_of_gateway() -> Refund {
    let TicketRefund { id, payment, amount, .. } = refund_of(9_000);
    Refund { payment, refund: id, amount }
}

fn answered(answer: RefundOutcome) -> RefundingInput {
    RefundingInput::GivenBack(Outcome { call: call_of_gateway(), answer })
}

fn finish() -> ReservationCommand {
    ReservationCommand::FinishRefund { refund: refund_of(0).id, is_settled: false }
}

#[test]
fn a_refund_that_its_request_settles_needs_nothing_more() {
    let soon = later(START, Duration::from_secs(2));
    given_no_inputs::<Refunding>().when(started()).then(steps![schedule(RefundingTimer::Finish, soon)]);
    given_inputs::<Refunding>([started()]).when(refunded(true)).then(steps![cancel(RefundingTimer::Finish)]);
}

#[test]
fn a_refund_that_nobody_settled_is_asked_for_and_told_to_all() {
    given_inputs::<Refunding>([started()]).when(RefundingInput::Finish).then(steps![call(call_of_gateway())]);
    let asked = || [started(), RefundingInput::Finish];
    given_inputs::<Refunding>(asked())
        .when(answered(RefundOutcome::Refunded))
        .then(steps![dispatch(order(), finish())]);
    given_inputs::<Refunding>(asked())
        .when(answered(RefundOutcome::Unanswered))
        .at(later(START, Duration::from_mins(1)))
        .then(steps![schedule(RefundingTimer::Finish, later(START, Duration::from_secs(90)))]);
    let TicketRefund { id, payment, amount, quota, places, .. } = refund_of(9_000);
    let places = places.into_values().next().unwrap();
    given_inputs::<Refunding>(asked().into_iter().chain([answered(RefundOutcome::Refunded)]))
        .when(refunded(false))
        .then(steps![
            cancel(RefundingTimer::Finish),
            dispatch(payment, PaymentCommand::Refund { refund: id, amount }),
            dispatch(
                SectionId::from(Uuid::from_u128(11)),
                InventoryCommand::TakeBack { reservation: order(), places },
            ),
            dispatch(quota, QuotaCommand::GiveBackSome { reservation: order(), quantity: 2 }),
        ]);
}

#[test]
fn what_a_request_was_faster_to_finish_is_told_once() {
    let too_late = Rejected::<Reservation>::new(&order(), finish(), ReservationRefused::NothingToRefund);
    let raced = [started(), RefundingInput::Finish, refunded(true), answered(RefundOutcome::Refunded)];
    given_inputs::<Refunding>(raced).when(RefundingInput::OrderRefused(too_late)).then_nothing();
}

#[test]
fn tickets_that_cost_nothing_go_back_without_the_gateway() {
    let free = RefundingInput::Reservation(order(), ReservationEvent::RefundStarted(refund_of(0)));
    given_inputs::<Refunding>([free]).when(RefundingInput::Finish).then(steps![dispatch(order(), finish())]);
}
