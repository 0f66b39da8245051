//! What follows when a show is cancelled, as sentences.

use super::*;
use crate::reservation::ReservationCommand;
use crate::shared::{ReservationId, ShowId};
use crate::show::ShowEvent;
use composable_rust::later;
use composable_rust::prelude::*;
use composable_rust::testing::spec::START;
use std::time::Duration;
use uuid::Uuid;

fn show() -> ShowId {
    ShowId::from(Uuid::from_u128(1))
}

fn order(number: u128) -> ReservationId {
    ReservationId::from(Uuid::from_u128(number))
}

fn cancelled() -> CancellingInput {
    CancellingInput::Show(show(), ShowEvent::Cancelled { reason: None })
}

fn found(page: u32, orders: Vec<ReservationId>, next: Option<u32>) -> CancellingInput {
    let call = OrdersOf { show: show(), position: Position::ZERO.next(), page };
    CancellingInput::Found(Outcome { call, answer: OrdersPage { orders, next } })
}

fn asked(page: u32) -> OrdersOf {
    OrdersOf { show: show(), position: Position::ZERO.next(), page }
}

#[test]
fn every_order_of_a_cancelled_show_is_called_off_page_by_page() {
    given_no_inputs::<Cancelling>().when(cancelled()).then(steps![call(asked(1))]);
    given_inputs::<Cancelling>([cancelled()]).when(found(1, vec![order(2), order(3)], Some(2))).then(steps![
        dispatch(order(2), ReservationCommand::CallOff),
        dispatch(order(3), ReservationCommand::CallOff),
        schedule(CancellingTimer::Next, later(START, Duration::from_secs(2))),
    ]);
    given_inputs::<Cancelling>([cancelled(), found(1, vec![order(2)], Some(2))])
        .when(CancellingInput::Next)
        .then(steps![call(asked(2))]);
    given_inputs::<Cancelling>([cancelled(), found(1, vec![], Some(2)), CancellingInput::Next])
        .when(found(2, vec![order(4)], None))
        .then(steps![dispatch(order(4), ReservationCommand::CallOff)]);
}
