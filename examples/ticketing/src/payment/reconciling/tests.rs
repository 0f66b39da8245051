//! What counts as a difference.

use super::{Difference, Mismatch};
use crate::payment::gateway::Booked;
use crate::payment::{Method, NewPayment, Payment, PaymentEvent, SimulatedOutcome};
use crate::shared::{Currency, Money, PaymentId, RefundId, ReservationId, ShowId};
use composable_rust::{UserId, fold};
use jiff::Timestamp;
use uuid::Uuid;

const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

fn euros(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

fn id() -> PaymentId {
    Uuid::from_u128(7).into()
}

/// A payment of 45.00 with all this.
fn ours(method: Method, minutes: i64, events: &[PaymentEvent]) -> Payment {
    let terms = NewPayment {
        reservation: ReservationId::from(Uuid::nil()),
        show: ShowId::from(Uuid::nil()),
        customer: UserId::from_uuid(Uuid::nil()),
        amount: euros(4_500),
        method,
        until: NOW,
    };
    let at = Timestamp::from_second(NOW.as_second() - minutes * 60).unwrap();
    let started = PaymentEvent::Started { terms, at };
    fold([&started].into_iter().chain(events))
}

fn card(minutes: i64, events: &[PaymentEvent]) -> Payment {
    ours(Method::Simulated { outcome: SimulatedOutcome::Succeed }, minutes, events)
}

fn booked(charged: i64, refunded: Option<i64>) -> Booked {
    Booked { payment: id(), charged: euros(charged), refunded: refunded.map(euros) }
}

fn difference<'a>(
    ours: impl Into<Option<&'a Payment>>,
    theirs: impl Into<Option<&'a Booked>>,
) -> Option<Difference> {
    Mismatch::of(id(), ours.into(), theirs.into(), NOW).map(|mismatch| mismatch.difference)
}

fn refunded(amount: i64) -> PaymentEvent {
    PaymentEvent::Refunded { refund: RefundId::from(Uuid::nil()), amount: euros(amount) }
}

#[test]
fn books_that_agree_differ_in_nothing() {
    let declined = PaymentEvent::Declined { reason: "no".into() };
    let whole = &booked(4_500, None);
    assert_eq!(difference(&card(1, &[PaymentEvent::Succeeded]), whole), None);
    let back = &card(1, &[PaymentEvent::Succeeded, refunded(500)]);
    assert_eq!(difference(back, &booked(4_500, Some(500))), None);
    assert_eq!(difference(&card(1, &[declined]), None), None);
    assert_eq!(difference(&card(1, &[]), whole), None, "it is under way");
    assert_eq!(difference(&ours(Method::Free {}, 1, &[PaymentEvent::Succeeded]), None), None);
}

#[test]
fn each_difference_is_told_apart() {
    let (paid, whole) = (&card(1, &[PaymentEvent::Succeeded]), &booked(4_500, None));
    assert_eq!(difference(None, whole), Some(Difference::Unknown));
    assert_eq!(difference(&card(1, &[PaymentEvent::Cancelled]), whole), Some(Difference::Charged));
    assert_eq!(difference(paid, None), Some(Difference::NotCharged));
    assert_eq!(difference(paid, &booked(4_400, None)), Some(Difference::Amount));
    assert_eq!(difference(paid, &booked(4_500, Some(100))), Some(Difference::Refunded));
    assert_eq!(difference(&card(61, &[]), whole), Some(Difference::Open));
    let shown = Mismatch::of(id(), Some(paid), Some(&booked(4_500, Some(100))), NOW).unwrap();
    assert_eq!((shown.ours, shown.gateway), (Some(euros(4_500)), Some(euros(4_400))));
}
