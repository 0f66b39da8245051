//! What may become of a payment, and what the development gateway does, as sentences.

use super::gateway::{ChargeAnswer, Fate, Ledger, Order, PaymentGateway, SimulatedGateway, StopAnswer};
use super::*;
use crate::shared::{Currency, Money, PaymentId, ReservationId, ShowId};
use composable_rust::FixedClock;
use composable_rust::prelude::*;
use composable_rust::testing::spec::START;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

use PaymentEvent::{Declined, Refunded, Started, Succeeded};
use SimulatedOutcome::{Decline, LostAnswer, Slow, Succeed};

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
fn what_was_paid_is_given_back_once() {
    let refund = |amount| PaymentCommand::Refund { amount };
    let refunded = Refunded { amount: euros(90) };
    given::<Payment>([started(), Succeeded]).when(refund(euros(90))).then([refunded.clone()]);
    given::<Payment>([started(), Succeeded, refunded]).when(refund(euros(90))).then_nothing();
    given::<Payment>([started(), Succeeded])
        .when(refund(euros(91)))
        .then_rejected(PaymentRefused::NothingToRefund);
    given::<Payment>([started()])
        .when(refund(euros(90)))
        .then_rejected(PaymentRefused::WrongState { status: PaymentStatus::Processing });
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
    Order { amount: euros(90), method: Method::Simulated { outcome } }
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
    again.refund(payment(), euros(90)).await.unwrap();
    again.refund(payment(), euros(90)).await.unwrap();
    assert_eq!(gateway().ledger().entries().len(), 1);
    assert_eq!(gateway().ledger().entry(payment()).unwrap().fate, Fate::Refunded { amount: euros(90) });
}
