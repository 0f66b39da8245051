//! What may become of a payment, and what the development gateway does, as sentences.

use super::gateway::{ChargeAnswer, Fate, Ledger, Order, PaymentGateway, SimulatedGateway, StopAnswer};
use super::*;
use crate::shared::{Currency, Money, PaymentId, RefundId, ReservationId, ShowId};
use composable_rust::prelude::*;
use composable_rust::testing::spec::START;
use composable_rust::{FixedClock, later};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

use PaymentEvent::{Declined, Refunded, Started, Succeeded};
use SimulatedOutcome::{Decline, LateSuccess, LostAnswer, RequiresAction, Slow, Succeed};

fn euros(amount: i64) -> Money {
    Money::new(amount * 100, Currency::EUR)
}

fn terms() -> NewPayment {
    NewPayment {
        reservation: ReservationId::from(Uuid::from_u128(1)),
        show: ShowId::from(Uuid::from_u128(2)),
        customer: UserId::from_uuid(Uuid::from_u128(3)),
        amount: euros(90),
        method: Method::Simulated { outcome: Succeed },
        until: START,
    }
}

fn started() -> PaymentEvent {
    Started { terms: terms(), at: START }
}

#[test]
fn a_payment_is_started_once_and_answered_once() {
    given_nothing::<Payment>().when(PaymentCommand::Start(terms())).then([started()]);
    given::<Payment>([started()]).when(PaymentCommand::Succeed).then([Succeeded]);
    given::<Payment>([started(), Succeeded]).when(PaymentCommand::Succeed).then_nothing();
    given::<Payment>([started(), Succeeded])
        .when(PaymentCommand::Decline { reason: "no".into() })
        .then_rejected(PaymentRefused::WrongState { status: PaymentStatus::Succeeded });
    given::<Payment>([started(), Declined { reason: "no".into() }])
        .when(PaymentCommand::Succeed)
        .then_rejected(PaymentRefused::WrongState { status: PaymentStatus::Declined });
}

#[test]
fn a_payer_who_has_to_act_pays_or_does_not() {
    let asked = [started(), PaymentEvent::ActionRequired];
    given::<Payment>([started()])
        .when(PaymentCommand::RequireAction)
        .then([PaymentEvent::ActionRequired])
        .then_state(|payment| assert_eq!(payment.status, PaymentStatus::RequiresAction));
    given::<Payment>(asked.clone()).when(PaymentCommand::RequireAction).then_nothing();
    given::<Payment>(asked.clone()).when(PaymentCommand::Succeed).then([Succeeded]);
    given::<Payment>(asked.clone())
        .when(PaymentCommand::Decline { reason: "no".into() })
        .then([Declined { reason: "no".into() }]);
    given::<Payment>(asked).when(PaymentCommand::Cancel).then([PaymentEvent::Cancelled]);
}

#[test]
fn what_was_paid_is_given_back_in_parts_each_once_and_never_more() {
    let refund = |number, amount| PaymentCommand::Refund { refund: refund_id(number), amount };
    let refunded = |number, amount| Refunded { refund: refund_id(number), amount };
    let paid = || [started(), Succeeded];
    given::<Payment>(paid())
        .when(refund(1, euros(90)))
        .then([refunded(1, euros(90))])
        .then_state(|payment| assert_eq!(payment.status, PaymentStatus::Refunded));
    let some = || paid().into_iter().chain([refunded(1, euros(50))]);
    given::<Payment>(some()).when(refund(1, euros(50))).then_nothing();
    given::<Payment>(some())
        .when(refund(2, euros(40)))
        .then([refunded(2, euros(40))])
        .then_state(|payment| assert_eq!(payment.refunded, Some(euros(90))));
    given::<Payment>(some()).when(refund(2, euros(41))).then_rejected(PaymentRefused::NothingToRefund);
    given::<Payment>([started()])
        .when(refund(1, euros(90)))
        .then_rejected(PaymentRefused::WrongState { status: PaymentStatus::Processing });
}

fn refund_id(number: u128) -> RefundId {
    RefundId::from(Uuid::from_u128(number))
}

#[tokio::test]
async fn the_gateway_gives_back_each_refund_once_and_never_more_than_it_charged() {
    let (gateway, _, id) = gateway();
    assert!(gateway.refund(id, refund_id(1), euros(1)).await.is_err(), "nothing was charged");
    gateway.charge(id, order(Succeed)).await.unwrap();
    gateway.refund(id, refund_id(1), euros(50)).await.unwrap();
    gateway.refund(id, refund_id(1), euros(50)).await.unwrap();
    assert!(gateway.refund(id, refund_id(2), euros(41)).await.is_err());
    gateway.refund(id, refund_id(3), euros(40)).await.unwrap();
    assert_eq!(gateway.ledger().entry(id).unwrap().kept(), 0);
}

/// A gateway, its clock, and an attempt.
fn gateway() -> (SimulatedGateway, FixedClock, PaymentId) {
    let clock = FixedClock::at(START);
    (SimulatedGateway::new(Ledger::in_memory(), Arc::new(clock.clone())), clock, payment())
}

fn payment() -> PaymentId {
    PaymentId::from(Uuid::from_u128(7))
}

fn order(outcome: SimulatedOutcome) -> Order {
    Order {
        amount: euros(90),
        method: Method::Simulated { outcome },
        until: later(START, Duration::from_mins(5)),
    }
}

#[tokio::test]
async fn a_charge_asked_for_twice_is_made_once() {
    let (gateway, clock, id) = gateway();
    assert_eq!(gateway.charge(id, order(Succeed)).await.unwrap(), ChargeAnswer::Succeeded);
    clock.advance(Duration::from_mins(1));
    assert_eq!(gateway.charge(id, order(Succeed)).await.unwrap(), ChargeAnswer::Succeeded);
    assert_eq!(gateway.ledger().entry(id).unwrap().fate, Fate::Charged { at: START });
}

#[tokio::test]
async fn a_slow_charge_is_made_after_three_seconds_unless_it_is_stopped() {
    let (gateway, clock, id) = gateway();
    let other = PaymentId::from(Uuid::from_u128(8));
    assert_eq!(gateway.charge(id, order(Slow)).await.unwrap(), ChargeAnswer::Unanswered);
    assert_eq!(gateway.charge(other, order(Slow)).await.unwrap(), ChargeAnswer::Unanswered);
    assert_eq!(gateway.stop(other).await.unwrap(), StopAnswer::Stopped);
    clock.advance(Duration::from_secs(3));
    assert_eq!(gateway.charge(id, order(Slow)).await.unwrap(), ChargeAnswer::Succeeded);
    assert_eq!(gateway.stop(id).await.unwrap(), StopAnswer::AlreadyCharged);
    assert_eq!(gateway.charge(other, order(Slow)).await.unwrap(), ChargeAnswer::Stopped);
}

#[tokio::test]
async fn what_the_payer_says_counts_once_and_not_after_a_stop() {
    let (gateway, _, id) = gateway();
    assert_eq!(gateway.charge(id, order(RequiresAction)).await.unwrap(), ChargeAnswer::RequiresAction);
    assert_eq!(gateway.act(id, true).await.unwrap(), ChargeAnswer::Succeeded);
    assert_eq!(gateway.act(id, false).await.unwrap(), ChargeAnswer::Succeeded);
    let other = PaymentId::from(Uuid::from_u128(8));
    gateway.charge(other, order(RequiresAction)).await.unwrap();
    assert_eq!(gateway.stop(other).await.unwrap(), StopAnswer::Stopped);
    assert_eq!(gateway.act(other, true).await.unwrap(), ChargeAnswer::Stopped);
}

#[tokio::test]
async fn a_late_charge_can_be_stopped_until_the_hold_ends_and_comes_a_second_later() {
    let (gateway, clock, id) = gateway();
    let other = PaymentId::from(Uuid::from_u128(8));
    assert_eq!(gateway.charge(id, order(LateSuccess)).await.unwrap(), ChargeAnswer::Unanswered);
    gateway.charge(other, order(LateSuccess)).await.unwrap();
    assert_eq!(gateway.stop(other).await.unwrap(), StopAnswer::Stopped);
    clock.advance(Duration::from_mins(5));
    assert!(gateway.stop(id).await.is_err());
    assert_eq!(gateway.charge(id, order(LateSuccess)).await.unwrap(), ChargeAnswer::Unanswered);
    clock.advance(Duration::from_secs(1));
    assert_eq!(gateway.charge(id, order(LateSuccess)).await.unwrap(), ChargeAnswer::Succeeded);
    assert_eq!(gateway.stop(id).await.unwrap(), StopAnswer::AlreadyCharged);
}

#[tokio::test]
async fn a_lost_answer_was_a_charge() {
    let (gateway, _, id) = gateway();
    assert!(gateway.charge(id, order(LostAnswer)).await.is_err());
    assert_eq!(gateway.charge(id, order(LostAnswer)).await.unwrap(), ChargeAnswer::Succeeded);
}

#[tokio::test]
async fn what_was_stopped_or_declined_is_never_charged() {
    let (gateway, _, id) = gateway();
    assert_eq!(gateway.stop(id).await.unwrap(), StopAnswer::Stopped);
    assert_eq!(gateway.charge(id, order(Succeed)).await.unwrap(), ChargeAnswer::Stopped);
    let other = PaymentId::from(Uuid::from_u128(8));
    assert!(matches!(gateway.charge(other, order(Decline)).await.unwrap(), ChargeAnswer::Declined { .. }));
    assert_eq!(gateway.stop(other).await.unwrap(), StopAnswer::Stopped);
}

#[tokio::test]
async fn the_books_survive_a_restart_and_a_line_that_was_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("books.jsonl");
    let gateway = || SimulatedGateway::new(Ledger::open(&path).unwrap(), Arc::new(FixedClock::at(START)));
    assert!(gateway().charge(payment(), order(LostAnswer)).await.is_err());
    let cut_off = || {
        let mut books = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
        books.write_all(br#"{"payment":"00"#).unwrap();
    };
    cut_off();
    let again = gateway();
    assert_eq!(again.charge(payment(), order(LostAnswer)).await.unwrap(), ChargeAnswer::Succeeded);
    // A disk that was full for a while cuts a line off in the middle of a life.
    cut_off();
    again.refund(payment(), refund_id(1), euros(90)).await.unwrap();
    again.refund(payment(), refund_id(1), euros(90)).await.unwrap();
    assert_eq!(gateway().ledger().entries().len(), 1);
    assert_eq!(gateway().ledger().entry(payment()).unwrap().refunds, [(refund_id(1), euros(90))].into());
}
