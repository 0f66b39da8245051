//! What happens next, as sentences.

use super::*;
use crate::inventory::{Inventory, InventoryCommand, InventoryEvent, InventoryRefused};
use crate::payment::gateway::{ChargeAnswer, StopAnswer};
use crate::payment::{
    Charge, Method, NewPayment, PaymentCommand, PaymentEvent, Refund, RefundOutcome, SimulatedOutcome,
    StopCharge,
};
use crate::quota::QuotaCommand;
use crate::reservation::{self, ReservationCommand, ReservationEvent, ReservationRefused};
use crate::shared::{
    Currency, Line, Money, PaymentId, Places, QuotaId, RefundId, ReservationId, SectionId, ShowId, TierId,
};
use composable_rust::later;
use composable_rust::prelude::*;
use composable_rust::testing::spec::START;
use jiff::Timestamp;
use std::time::Duration;
use uuid::Uuid;

use CheckoutInput::{
    Charged, HoldEnds, OrderRefused, Payment, PlacesRefused, Reconcile, Refunded, Reservation, Stopped,
};

fn after(seconds: u64) -> Timestamp {
    later(START, Duration::from_secs(seconds))
}

fn id() -> ReservationId {
    ReservationId::from(Uuid::from_u128(1))
}

fn payment() -> PaymentId {
    PaymentId::from(Uuid::from_u128(2))
}

fn section(number: u128) -> SectionId {
    SectionId::from(Uuid::from_u128(number))
}

fn total() -> Money {
    Money::new(6_500, Currency::EUR)
}

const METHOD: Method = Method::Simulated { outcome: SimulatedOutcome::Succeed };

/// One place in each of two sections.
fn placed() -> CheckoutInput {
    let line = |number, cents| Line {
        section_id: section(number),
        section: "Section".into(),
        tier_id: TierId::from(Uuid::nil()),
        tier: "Tier".into(),
        quantity: 1,
        price: Money::new(cents, Currency::EUR),
        seats: Vec::new(),
    };
    let order = reservation::Order {
        show: ShowId::from(Uuid::from_u128(9)),
        customer: UserId::from_uuid(Uuid::from_u128(8)),
        lines: vec![line(11, 4_500), line(12, 2_000)],
        total: total(),
        until: after(300),
    };
    happened(ReservationEvent::Placed { order, at: START })
}

fn one() -> Places {
    Places { quantity: 1, seats: Vec::new() }
}

fn quota() -> QuotaId {
    QuotaId::of(ShowId::from(Uuid::from_u128(9)), UserId::from_uuid(Uuid::from_u128(8)))
}

fn happened(event: ReservationEvent) -> CheckoutInput {
    Reservation(id(), event)
}

fn started() -> CheckoutInput {
    let terms = NewPayment {
        reservation: id(),
        show: ShowId::from(Uuid::from_u128(9)),
        customer: UserId::from_uuid(Uuid::from_u128(8)),
        amount: total(),
        method: METHOD,
        until: after(700),
    };
    Payment(payment(), PaymentEvent::Started { terms, at: START })
}

fn completed() -> CheckoutInput {
    happened(ReservationEvent::Completed {
        payment: payment(),
        show: ShowId::from(Uuid::from_u128(9)),
        customer: UserId::from_uuid(Uuid::from_u128(8)),
        tickets: Vec::new(),
        at: START,
    })
}

fn charge() -> Charge {
    Charge { payment: payment(), amount: total(), method: METHOD, until: after(700) }
}

fn charged(answer: ChargeAnswer) -> CheckoutInput {
    Charged(Outcome { call: charge(), answer })
}

fn stopped(answer: StopAnswer) -> CheckoutInput {
    Stopped(Outcome { call: StopCharge { payment: payment() }, answer })
}

fn refused(command: ReservationCommand, rejection: ReservationRefused) -> CheckoutInput {
    OrderRefused(Rejected::new(&id(), command, rejection))
}

fn confirms() -> Steps<Checkout> {
    [11, 12].map(|number| dispatch(section(number), InventoryCommand::Confirm { reservation: id() })).into()
}

fn releases() -> Steps<Checkout> {
    let mut steps: Steps<Checkout> = [11, 12]
        .map(|number| dispatch(section(number), InventoryCommand::Release { reservation: id() }))
        .into();
    steps.push(dispatch(quota(), QuotaCommand::GiveBack { reservation: id() }));
    steps
}

fn retakes() -> Steps<Checkout> {
    let retake = InventoryCommand::Retake { reservation: id(), places: one() };
    [11, 12].map(|number| dispatch(section(number), retake.clone())).into()
}

fn retaken(number: u128) -> CheckoutInput {
    CheckoutInput::Inventory(
        section(number),
        InventoryEvent::SeatsRetaken { reservation: id(), places: one() },
    )
}

fn settled() -> Steps<Checkout> {
    let mut steps = steps![
        dispatch(payment(), PaymentCommand::Succeed),
        dispatch(id(), ReservationCommand::Complete { payment: payment() }),
    ];
    steps.extend(confirms());
    steps
}

/// An order whose hold ended while the gateway was silent.
fn expired_unanswered() -> [CheckoutInput; 5] {
    let expired = happened(ReservationEvent::Expired);
    [placed(), started(), HoldEnds, stopped(StopAnswer::Unanswered), expired]
}

#[test]
fn an_order_that_nobody_pays_expires_and_its_places_are_free_again() {
    given_no_inputs::<Checkout>().when(placed()).then(steps![schedule(CheckoutTimer::HoldEnds, after(300))]);
    given_inputs::<Checkout>([placed()])
        .when(HoldEnds)
        .then(steps![dispatch(id(), ReservationCommand::Expire { unanswered: None })]);
    given_inputs::<Checkout>([placed(), HoldEnds]).when(happened(ReservationEvent::Expired)).then(releases());
}

#[test]
fn a_hold_that_was_prolonged_ends_later() {
    let early = refused(
        ReservationCommand::Expire { unanswered: None },
        ReservationRefused::StillHeld { until: after(400) },
    );
    given_inputs::<Checkout>([placed()])
        .when(happened(ReservationEvent::Extended { until: after(400) }))
        .then(steps![schedule(CheckoutTimer::HoldEnds, after(400))]);
    given_inputs::<Checkout>([placed(), HoldEnds])
        .when(early)
        .then(steps![schedule(CheckoutTimer::HoldEnds, after(400))]);
}

#[test]
fn a_payment_that_its_request_settles_needs_nothing_more() {
    given_inputs::<Checkout>([placed()]).when(started()).then(steps![
        schedule(CheckoutTimer::HoldEnds, after(700)),
        schedule(CheckoutTimer::Reconcile, after(3)),
    ]);
    given_inputs::<Checkout>([placed(), started()])
        .when(completed())
        .then(steps![cancel(CheckoutTimer::HoldEnds), cancel(CheckoutTimer::Reconcile)]);
    given_inputs::<Checkout>([placed(), started()])
        .when(happened(ReservationEvent::PaymentFailed { payment: payment() }))
        .then(steps![cancel(CheckoutTimer::Reconcile)]);
}

#[test]
fn a_payment_that_nobody_settled_is_asked_about_and_settled() {
    given_inputs::<Checkout>([placed(), started()]).when(Reconcile).then(steps![call(charge())]);
    let asked = || given_inputs::<Checkout>([placed(), started(), Reconcile]);
    asked().when(charged(ChargeAnswer::Succeeded)).then(settled());
    asked().when(charged(ChargeAnswer::Declined { reason: "no".into() })).then(steps![
        dispatch(payment(), PaymentCommand::Decline { reason: "no".into() }),
        dispatch(id(), ReservationCommand::FailPayment { payment: payment() }),
    ]);
    asked().when(charged(ChargeAnswer::RequiresAction)).then(steps![
        dispatch(payment(), PaymentCommand::RequireAction),
        schedule(CheckoutTimer::Reconcile, after(5)),
    ]);
    asked()
        .when(charged(ChargeAnswer::Unanswered))
        .then(steps![schedule(CheckoutTimer::Reconcile, after(5))]);
}

#[test]
fn an_answer_that_is_heard_after_the_request_has_settled_changes_nothing() {
    given_inputs::<Checkout>([placed(), started(), Reconcile, completed()])
        .when(charged(ChargeAnswer::Succeeded))
        .then_nothing();
    given_inputs::<Checkout>([placed(), started(), Reconcile, completed()]).when(Reconcile).then_nothing();
    given_inputs::<Checkout>([placed(), started(), completed()]).when(HoldEnds).then_nothing();
}

#[test]
fn at_the_end_of_the_hold_the_payment_is_stopped_before_the_places_are_freed() {
    given_inputs::<Checkout>([placed(), started()])
        .when(HoldEnds)
        .then(steps![call(StopCharge { payment: payment() })]);
    let stopping = || given_inputs::<Checkout>([placed(), started(), HoldEnds]);
    stopping().when(stopped(StopAnswer::AlreadyCharged)).then(settled());
    stopping().when(stopped(StopAnswer::Stopped)).then(steps![
        dispatch(payment(), PaymentCommand::Cancel),
        dispatch(id(), ReservationCommand::FailPayment { payment: payment() }),
    ]);
    given_inputs::<Checkout>([placed(), started(), HoldEnds, stopped(StopAnswer::Stopped)])
        .when(happened(ReservationEvent::PaymentFailed { payment: payment() }))
        .then(steps![
            cancel(CheckoutTimer::Reconcile),
            dispatch(id(), ReservationCommand::Expire { unanswered: None }),
        ]);
}

#[test]
fn a_gateway_that_is_silent_does_not_keep_the_places() {
    given_inputs::<Checkout>([placed(), started(), HoldEnds]).when(stopped(StopAnswer::Unanswered)).then(
        steps![
            dispatch(id(), ReservationCommand::Expire { unanswered: Some(payment()) }),
            schedule(CheckoutTimer::Reconcile, after(5)),
        ],
    );
    // Nobody is charged any longer.
    let stop = StopCharge { payment: payment() };
    given_inputs::<Checkout>(expired_unanswered()).when(Reconcile).then(steps![call(stop)]);
}

#[test]
fn a_gateway_that_does_not_answer_is_asked_soon_and_then_seldom() {
    let expired = |moment| {
        given_inputs::<Checkout>(expired_unanswered())
            .when(stopped(StopAnswer::Unanswered))
            .at(later(after(700), moment))
    };
    let again = |moment| steps![schedule(CheckoutTimer::Reconcile, later(after(700), moment))];
    expired(Duration::from_millis(300)).then(again(Duration::from_millis(1_300)));
    expired(Duration::from_secs(5)).then(again(Duration::from_secs(10)));
    expired(Duration::from_mins(5)).then(again(Duration::from_secs(330)));
}

#[test]
fn a_payer_who_is_still_asked_when_the_hold_is_over_is_asked_no_longer() {
    given_inputs::<Checkout>(expired_unanswered())
        .when(charged(ChargeAnswer::RequiresAction))
        .then(steps![call(StopCharge { payment: payment() })]);
    let asked = || expired_unanswered().into_iter().chain([charged(ChargeAnswer::RequiresAction)]);
    given_inputs::<Checkout>(asked())
        .when(stopped(StopAnswer::Stopped))
        .then(steps![dispatch(payment(), PaymentCommand::Cancel)]);
    given_inputs::<Checkout>(asked())
        .when(stopped(StopAnswer::Unanswered))
        .then(steps![schedule(CheckoutTimer::Reconcile, after(11))]);
    let mut late = steps![dispatch(payment(), PaymentCommand::Succeed)];
    late.extend(retakes());
    given_inputs::<Checkout>(asked()).when(stopped(StopAnswer::AlreadyCharged)).then(late);
}

#[test]
fn money_that_comes_late_takes_the_places_again_where_they_are_free() {
    let mut taking = steps![dispatch(payment(), PaymentCommand::Succeed)];
    taking.extend(retakes());
    given_inputs::<Checkout>(expired_unanswered()).when(charged(ChargeAnswer::Succeeded)).then(taking);

    let late = expired_unanswered().into_iter().chain([charged(ChargeAnswer::Succeeded), retaken(11)]);
    let mut done = steps![
        dispatch(quota(), QuotaCommand::Take { reservation: id(), quantity: 2, limit: None }),
        dispatch(id(), ReservationCommand::CompleteLate { payment: payment() }),
    ];
    done.extend(confirms());
    given_inputs::<Checkout>(late).when(retaken(12)).then(done);
}

#[test]
fn money_that_comes_too_late_is_given_back_once() {
    let retake = InventoryCommand::Retake { reservation: id(), places: one() };
    let gone = InventoryRefused::SeatsUnavailable { available: 0 };
    let gone = PlacesRefused(Rejected::<Inventory>::new(&section(12), retake, gone));
    let late = || expired_unanswered().into_iter().chain([charged(ChargeAnswer::Succeeded), retaken(11)]);
    let refund = Refund { payment: payment(), refund: RefundId::of_all(payment()), amount: total() };
    given_inputs::<Checkout>(late()).when(gone.clone()).then(steps![
        dispatch(section(11), InventoryCommand::Release { reservation: id() }),
        call(refund.clone()),
    ]);
    let refunding = || late().chain([gone.clone()]);
    let answer = |answer| Refunded(Outcome { call: refund.clone(), answer });
    given_inputs::<Checkout>(refunding())
        .when(answer(RefundOutcome::Refunded))
        .then(steps![dispatch(payment(), PaymentCommand::Refund { refund: refund.refund, amount: total() })]);
    given_inputs::<Checkout>(refunding())
        .when(answer(RefundOutcome::Unanswered))
        .at(after(60))
        .then(steps![schedule(CheckoutTimer::RefundAgain, after(90))]);
    given_inputs::<Checkout>(refunding().chain([answer(RefundOutcome::Unanswered)]))
        .when(CheckoutInput::RefundAgain)
        .then(steps![call(refund.clone())]);
}

#[test]
fn money_that_comes_while_the_order_expires_waits_for_the_decision() {
    let expiring = || {
        let silent = [placed(), started(), HoldEnds, stopped(StopAnswer::Unanswered)];
        given_inputs::<Checkout>(silent.into_iter().chain([charged(ChargeAnswer::Succeeded)]))
    };
    let mut too_late = releases();
    too_late.extend(retakes());
    expiring().when(happened(ReservationEvent::Expired)).then(too_late);
    let command = ReservationCommand::Expire { unanswered: Some(payment()) };
    expiring().when(refused(command, ReservationRefused::StillHeld { until: after(800) })).then(settled());
}

#[test]
fn an_order_that_was_given_up_is_over() {
    given_inputs::<Checkout>([placed()])
        .when(happened(ReservationEvent::Cancelled))
        .then(steps![cancel(CheckoutTimer::HoldEnds), cancel(CheckoutTimer::Reconcile)]);
    given_inputs::<Checkout>([placed(), happened(ReservationEvent::Cancelled)]).when(HoldEnds).then_nothing();
}

#[test]
fn money_for_an_order_that_cannot_be_completed_is_given_back() {
    let complete = ReservationCommand::Complete { payment: payment() };
    let gone = ReservationRefused::WrongState { status: reservation::ReservationStatus::Cancelled };
    given_inputs::<Checkout>([placed(), started(), Reconcile, charged(ChargeAnswer::Succeeded)])
        .when(refused(complete, gone))
        .then(steps![call(Refund {
            payment: payment(),
            refund: RefundId::of_all(payment()),
            amount: total()
        })]);
}
