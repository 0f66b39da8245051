//! What a customer may have, as sentences.

use super::*;
use crate::shared::ReservationId;
use composable_rust::prelude::*;
use uuid::Uuid;

use QuotaEvent::{GivenBack, SomeGivenBack, Taken};

fn order(number: u128) -> ReservationId {
    ReservationId::from(Uuid::from_u128(number))
}

#[test]
fn places_count_up_to_the_limit() {
    let has_three = [Taken { reservation: order(1), quantity: 3 }];
    given::<Quota>(has_three.clone())
        .when(QuotaCommand::Take { reservation: order(2), quantity: 1, limit: Some(4) })
        .then([Taken { reservation: order(2), quantity: 1 }])
        .then_state(|quota| assert_eq!(quota.taken(), 4));
    given::<Quota>(has_three)
        .when(QuotaCommand::Take { reservation: order(2), quantity: 2, limit: Some(4) })
        .then_rejected(QuotaRefused::LimitExceeded { limit: 4, taken: 3 });
}

#[test]
fn without_a_limit_they_are_counted_all_the_same() {
    given_nothing::<Quota>()
        .when(QuotaCommand::Take { reservation: order(1), quantity: u32::MAX, limit: None })
        .then([Taken { reservation: order(1), quantity: u32::MAX }]);
}

#[test]
fn an_order_counts_once_and_is_given_back_once() {
    let taken = Taken { reservation: order(1), quantity: 2 };
    given::<Quota>([taken.clone()])
        .when(QuotaCommand::Take { reservation: order(1), quantity: 2, limit: Some(2) })
        .then_nothing();
    given::<Quota>([taken.clone()])
        .when(QuotaCommand::GiveBack { reservation: order(1) })
        .then([GivenBack { reservation: order(1) }])
        .then_state(|quota| assert_eq!(quota.taken(), 0));
    given::<Quota>([taken, GivenBack { reservation: order(1) }])
        .when(QuotaCommand::GiveBack { reservation: order(1) })
        .then_nothing();
}

#[test]
fn an_order_is_given_back_in_parts() {
    let taken = Taken { reservation: order(1), quantity: 3 };
    let some = |quantity| QuotaCommand::GiveBackSome { reservation: order(1), quantity };
    let one_less = SomeGivenBack { reservation: order(1), quantity: 1 };
    given::<Quota>([taken.clone()])
        .when(some(1))
        .then([one_less.clone()])
        .then_state(|quota| assert_eq!(quota.taken(), 2));
    given::<Quota>([taken, one_less]).when(some(2)).then([GivenBack { reservation: order(1) }]);
    given_nothing::<Quota>().when(some(1)).then_nothing();
}
