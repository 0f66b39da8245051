//! What may happen to an order, as sentences.

use super::views::{ReservationList, TicketList, TicketStatus};
use super::*;
use crate::shared::{
    Currency, Line, Money, PaymentId, Places, RefundId, SectionId, ShowId, Ticket, TicketId, TierId,
};
use crate::show::{SeatRow, Section, SectionKind};
use composable_rust::later;
use composable_rust::prelude::*;
use composable_rust::testing::spec::START;
use jiff::Timestamp;
use std::time::Duration;
use uuid::Uuid;

use ReservationCommand::{Cancel, Complete, CompleteLate, Expire, Extend, FailPayment, Place, StartPayment};
use ReservationEvent::{Cancelled, Completed, Expired, Extended, PaymentFailed, PaymentStarted, Placed};

fn after(seconds: u64) -> Timestamp {
    later(START, Duration::from_secs(seconds))
}

fn payment(number: u128) -> PaymentId {
    PaymentId::from(Uuid::from_u128(number))
}

/// Three places, held for five minutes.
fn order() -> Order {
    let line = |tier: &str, quantity, cents| Line {
        section_id: SectionId::from(Uuid::from_u128(1)),
        section: "Floor".into(),
        tier_id: TierId::from(Uuid::from_u128(cents)),
        tier: tier.into(),
        quantity,
        price: Money::new(i64::try_from(cents).unwrap(), Currency::EUR),
        seats: Vec::new(),
    };
    Order {
        show: ShowId::from(Uuid::from_u128(9)),
        customer: UserId::from_uuid(Uuid::from_u128(8)),
        lines: vec![line("Adult", 2, 4_500), line("Child", 1, 2_000)],
        total: Money::new(11_000, Currency::EUR),
        until: after(300),
    }
}

fn placed() -> ReservationEvent {
    Placed { order: order(), at: START }
}

fn paying() -> [ReservationEvent; 2] {
    [placed(), PaymentStarted { payment: payment(1), until: after(700) }]
}

fn completed() -> ReservationEvent {
    let Order { show, customer, .. } = order();
    Completed { payment: payment(1), show, customer, tickets: Vec::new(), at: START }
}

#[test]
fn an_order_is_placed_once() {
    given_nothing::<Reservation>().when(Place(order())).then([placed()]);
    given::<Reservation>([placed()])
        .when(Place(order()))
        .then_rejected(ReservationRefused::WrongState { status: ReservationStatus::Held });
}

#[test]
fn a_payment_prolongs_the_hold_and_never_shortens_it() {
    let start = |until| StartPayment { payment: payment(1), until };
    given::<Reservation>([placed()])
        .when(start(after(700)))
        .then([PaymentStarted { payment: payment(1), until: after(700) }]);
    given::<Reservation>([placed()])
        .when(start(after(100)))
        .then([PaymentStarted { payment: payment(1), until: after(300) }]);
}

#[test]
fn one_payment_at_a_time_and_none_after_the_end() {
    let start = || StartPayment { payment: payment(2), until: after(700) };
    given::<Reservation>(paying()).when(start()).then_rejected(ReservationRefused::PaymentInProgress);
    given::<Reservation>(paying().into_iter().chain([completed()]))
        .when(start())
        .then_rejected(ReservationRefused::AlreadyPaid);
    given::<Reservation>([placed()])
        .when(start())
        .at(after(300))
        .then_rejected(ReservationRefused::HoldExpired);
    given::<Reservation>([placed(), Expired]).when(start()).then_rejected(ReservationRefused::HoldExpired);
    given::<Reservation>([placed(), Cancelled])
        .when(start())
        .then_rejected(ReservationRefused::WrongState { status: ReservationStatus::Cancelled });
}

#[test]
fn after_a_decline_another_try_is_allowed_ten_times() {
    let failed = |number| {
        [
            PaymentStarted { payment: payment(number), until: after(700) },
            PaymentFailed { payment: payment(number) },
        ]
    };
    given::<Reservation>(paying())
        .when(FailPayment { payment: payment(1) })
        .then([PaymentFailed { payment: payment(1) }])
        .then_state(|order| assert_eq!((order.status, order.payment), (ReservationStatus::Held, None)));
    let start = StartPayment { payment: payment(99), until: after(700) };
    given::<Reservation>([placed()].into_iter().chain((1..=9).flat_map(failed)))
        .when(start.clone())
        .then_state(|order| assert_eq!(order.status, ReservationStatus::Paying));
    given::<Reservation>([placed()].into_iter().chain((1..=10).flat_map(failed)))
        .when(start)
        .then_rejected(ReservationRefused::LimitExceeded { limit: 10 });
}

#[test]
fn what_is_paid_gets_a_ticket_for_each_place() {
    given::<Reservation>(paying()).when(Complete { payment: payment(1) }).then_state(|order| {
        let tiers: Vec<_> = order.tickets.iter().map(|ticket| ticket.tier.as_str()).collect();
        assert_eq!(tiers, ["Adult", "Adult", "Child"]);
        let mut codes: Vec<_> = order.tickets.iter().map(|ticket| ticket.code.clone()).collect();
        codes.dedup();
        assert_eq!(codes.len(), 3);
    });
    let paid = || paying().into_iter().chain([completed()]);
    given::<Reservation>(paid()).when(Complete { payment: payment(1) }).then_nothing();
    given::<Reservation>(paid())
        .when(Complete { payment: payment(2) })
        .then_rejected(ReservationRefused::AlreadyPaid);
}

#[test]
fn money_that_comes_late_completes_the_order_it_was_for_once_its_places_are_taken_again() {
    let expired = || paying().into_iter().chain([Expired]);
    given::<Reservation>(expired())
        .when(Complete { payment: payment(1) })
        .then_rejected(ReservationRefused::HoldExpired);
    given::<Reservation>(expired())
        .when(CompleteLate { payment: payment(1) })
        .then_state(|order| assert_eq!(order.status, ReservationStatus::Completed));
    given::<Reservation>(expired())
        .when(CompleteLate { payment: payment(2) })
        .then_rejected(ReservationRefused::HoldExpired);
    given::<Reservation>(paying())
        .when(CompleteLate { payment: payment(1) })
        .then_rejected(ReservationRefused::WrongState { status: ReservationStatus::Paying });
}

#[test]
fn a_hold_ends_at_its_time_and_not_before() {
    let expire = || Expire { unanswered: None };
    given::<Reservation>([placed()])
        .when(expire())
        .at(after(299))
        .then_rejected(ReservationRefused::StillHeld { until: after(300) });
    given::<Reservation>([placed()]).when(expire()).at(after(300)).then([Expired]);
    given::<Reservation>([placed(), Expired]).when(expire()).at(after(300)).then_nothing();
}

#[test]
fn a_payment_under_way_is_named_when_the_hold_ends() {
    given::<Reservation>(paying())
        .when(Expire { unanswered: None })
        .at(after(700))
        .then_rejected(ReservationRefused::PaymentInProgress);
    given::<Reservation>(paying())
        .when(Expire { unanswered: Some(payment(1)) })
        .at(after(700))
        .then([Expired]);
    given::<Reservation>(paying().into_iter().chain([completed()]))
        .when(Expire { unanswered: Some(payment(1)) })
        .at(after(700))
        .then_rejected(ReservationRefused::AlreadyPaid);
}

#[test]
fn an_order_is_given_up_while_nobody_has_paid() {
    given::<Reservation>([placed()]).when(Cancel { stopped: None }).then([Cancelled]);
    given::<Reservation>([placed(), Cancelled]).when(Cancel { stopped: None }).then_nothing();
    given::<Reservation>(paying())
        .when(Cancel { stopped: None })
        .then_rejected(ReservationRefused::PaymentInProgress);
    given::<Reservation>(paying()).when(Cancel { stopped: Some(payment(1)) }).then([Cancelled]);
    given::<Reservation>(paying().into_iter().chain([completed()]))
        .when(Cancel { stopped: None })
        .then_rejected(ReservationRefused::AlreadyPaid);
    given::<Reservation>([placed(), Expired])
        .when(Cancel { stopped: None })
        .then_rejected(ReservationRefused::HoldExpired);
}

#[test]
fn the_list_follows_each_order() {
    let id = crate::shared::ReservationId::from(Uuid::from_u128(5));
    let history = paying().into_iter().chain([completed()]).map(|event| (id, event));
    project(ReservationList, history).then_row(id, |row| {
        assert_eq!((row.status, row.customer), (ReservationStatus::Completed, order().customer));
        assert_eq!(row.reservation.payment, Some(payment(1)));
    });
}

#[test]
fn tickets_are_listed_once_they_are_paid() {
    let id = crate::shared::ReservationId::from(Uuid::from_u128(5));
    project(TicketList, paying().map(|event| (id, event))).then_no_rows();
    let ticket = ticket(6, 4_500);
    let Completed { payment, show, customer, at, .. } = completed() else { panic!("not completed") };
    let paid = Completed { payment, show, customer, tickets: vec![ticket.clone()], at };
    let back = ReservationEvent::Refunded {
        refund: refund(1),
        tickets: vec![ticket.id],
        amount: ticket.price,
        is_settled: true,
    };
    project(TicketList, [(id, paid.clone()), (id, back)])
        .then_row(ticket.id, |row| assert_eq!(row.status, TicketStatus::Refunded));
    project(TicketList, [(id, paid)]).then_row(ticket.id, |row| {
        assert_eq!((row.holder, row.reservation, row.ticket.code.as_str()), (customer, id, "CODE"));
    });
}

#[test]
fn the_lines_share_the_seats_that_their_section_chose_and_each_ticket_tells_its_seat() {
    let mut order = order();
    let id = order.lines[0].section_id;
    let section = Section {
        id,
        name: "Floor".into(),
        kind: SectionKind::Seated,
        capacity: 6,
        rows: vec![SeatRow { name: "A".into(), seats: 2 }, SeatRow { name: "B".into(), seats: 4 }],
        tiers: Vec::new(),
    };
    order.lines[1].seats = section.seat(4).into_iter().collect();
    let chosen = [4, 0, 1].into_iter().filter_map(|place| section.seat(place)).collect();
    order.sit(&[(id, chosen)].into());
    let paid = [Placed { order, at: START }, PaymentStarted { payment: payment(1), until: after(700) }];
    given::<Reservation>(paid).when(Complete { payment: payment(1) }).then_state(|order| {
        let seat = |ticket: &Ticket| (ticket.tier.clone(), ticket.row.clone(), ticket.seat);
        let seats: Vec<_> = order.tickets.iter().map(seat).collect();
        let wanted = |tier: &str, row: &str, seat| (tier.to_owned(), Some(row.to_owned()), Some(seat));
        assert_eq!(seats, [wanted("Adult", "A", 1), wanted("Adult", "A", 2), wanted("Child", "B", 3)]);
    });
}

#[test]
fn a_hold_is_extended_ten_times_and_never_shortened() {
    let extended = Extended { until: after(400) };
    given::<Reservation>([placed()])
        .when(Extend { until: after(400) })
        .then([extended.clone()])
        .then_state(|order| assert_eq!(order.order.as_ref().unwrap().until, after(400)));
    given::<Reservation>([placed()])
        .when(Extend { until: after(100) })
        .then([Extended { until: after(300) }]);
    given::<Reservation>(paying()).when(Extend { until: after(500) }).then([Extended { until: after(700) }]);
    given::<Reservation>([placed()].into_iter().chain(vec![extended; 10]))
        .when(Extend { until: after(500) })
        .then_rejected(ReservationRefused::LimitExceeded { limit: 10 });
    let extend = || Extend { until: after(900) };
    given::<Reservation>([placed()])
        .when(extend())
        .at(after(300))
        .then_rejected(ReservationRefused::HoldExpired);
    given::<Reservation>([placed(), Expired]).when(extend()).then_rejected(ReservationRefused::HoldExpired);
    given::<Reservation>(paying().into_iter().chain([completed()]))
        .when(extend())
        .then_rejected(ReservationRefused::AlreadyPaid);
    given::<Reservation>([placed(), Cancelled])
        .when(extend())
        .then_rejected(ReservationRefused::WrongState { status: ReservationStatus::Cancelled });
}

fn refund(number: u128) -> RefundId {
    RefundId::from(Uuid::from_u128(number))
}

fn ticket(number: u128, cents: i64) -> Ticket {
    Ticket {
        id: TicketId::from(Uuid::from_u128(number)),
        section_id: SectionId::from(Uuid::from_u128(1)),
        section: "Floor".into(),
        tier_id: TierId::from(Uuid::from_u128(4_500)),
        tier: "Adult".into(),
        price: Money::new(cents, Currency::EUR),
        seat_id: None,
        row: None,
        seat: None,
        code: "CODE".into(),
    }
}

/// An order with the tickets 1 and 2 for 45.00 each and 3 for 20.00.
fn with_tickets() -> Vec<ReservationEvent> {
    let Completed { payment, show, customer, at, .. } = completed() else { panic!("not completed") };
    let tickets = [1, 2, 3].map(of_order).to_vec();
    paying().into_iter().chain([Completed { payment, show, customer, tickets, at }]).collect()
}

fn of_order(number: u128) -> Ticket {
    ticket(number, if number == 3 { 2_000 } else { 4_500 })
}

/// The refund of these tickets.
fn back(number: u128, tickets: &[u128], cents: i64) -> TicketRefund {
    let places = Places { quantity: u32::try_from(tickets.len()).unwrap(), seats: Vec::new() };
    TicketRefund {
        id: refund(number),
        payment: payment(1),
        quota: crate::shared::QuotaId::of(order().show, order().customer),
        tickets: ids(tickets),
        places: [(SectionId::from(Uuid::from_u128(1)), places)].into(),
        amount: Money::new(cents, Currency::EUR),
        sales: crate::shared::sales_of(&tickets.iter().map(|number| of_order(*number)).collect::<Vec<_>>()),
        reason: None,
    }
}

fn ids(tickets: &[u128]) -> Vec<TicketId> {
    tickets.iter().map(|number| TicketId::from(Uuid::from_u128(*number))).collect()
}

#[test]
fn tickets_go_back_for_what_they_cost_and_no_two_refunds_overlap() {
    let start = |number, tickets: Option<&[u128]>| ReservationCommand::StartRefund {
        refund: refund(number),
        tickets: tickets.map(ids),
        reason: None,
    };
    let started = |refund| ReservationEvent::RefundStarted(refund);
    let refused = ReservationRefused::NothingToRefund;
    given::<Reservation>(with_tickets()).when(start(1, None)).then([started(back(1, &[1, 2, 3], 11_000))]);
    given::<Reservation>(with_tickets()).when(start(1, Some(&[1, 3]))).then([started(back(
        1,
        &[1, 3],
        6_500,
    ))]);
    let some = || with_tickets().into_iter().chain([started(back(1, &[1, 3], 6_500))]);
    given::<Reservation>(some()).when(start(2, None)).then([started(back(2, &[2], 4_500))]);
    given::<Reservation>(some()).when(start(2, Some(&[2, 3]))).then_rejected(refused.clone());
    let all = || some().chain([started(back(2, &[2], 4_500))]);
    given::<Reservation>(all()).when(start(3, None)).then_rejected(refused.clone());
    given::<Reservation>(paying()).when(start(1, None)).then_rejected(refused);
}

#[test]
fn of_those_who_know_that_the_money_is_back_one_finishes() {
    let started = || ReservationEvent::RefundStarted(back(1, &[1, 3], 6_500));
    let finish = |is_settled| ReservationCommand::FinishRefund { refund: refund(1), is_settled };
    let refunded = |number, tickets: &[u128], cents, is_settled| ReservationEvent::Refunded {
        refund: refund(number),
        tickets: ids(tickets),
        amount: Money::new(cents, Currency::EUR),
        is_settled,
    };
    let under_way = || with_tickets().into_iter().chain([started()]);
    given::<Reservation>(under_way())
        .when(finish(true))
        .then([refunded(1, &[1, 3], 6_500, true)])
        .then_state(|order| assert_eq!(order.status, ReservationStatus::PartiallyRefunded));
    let done = || under_way().chain([refunded(1, &[1, 3], 6_500, true)]);
    given::<Reservation>(done()).when(finish(false)).then_rejected(ReservationRefused::NothingToRefund);
    let last = ReservationEvent::RefundStarted(back(2, &[2], 4_500));
    given::<Reservation>(done().chain([last]))
        .when(ReservationCommand::FinishRefund { refund: refund(2), is_settled: false })
        .then([refunded(2, &[2], 4_500, false)])
        .then_state(|order| assert_eq!(order.status, ReservationStatus::Refunded));
}

#[test]
fn an_order_of_a_cancelled_show_ends_and_what_was_paid_for_it_goes_back() {
    let called_off = || ReservationEvent::CalledOff { at: START };
    given::<Reservation>([placed()]).when(ReservationCommand::CallOff).then([called_off()]);
    let over = ReservationRefused::HoldExpired;
    let start = StartPayment { payment: payment(2), until: after(700) };
    given::<Reservation>([placed(), called_off()]).when(start).then_rejected(over.clone());
    given::<Reservation>([placed(), called_off()]).when(Extend { until: after(700) }).then_rejected(over);
    given::<Reservation>([placed(), called_off()]).when(Expire { unanswered: None }).then([Expired]);
    given::<Reservation>([placed(), called_off()]).when(ReservationCommand::CallOff).then_nothing();
    given::<Reservation>([placed(), Cancelled]).when(ReservationCommand::CallOff).then_nothing();

    let goes_back = |order: &Reservation, tickets: usize| {
        assert!(order.is_called_off);
        assert_eq!(order.refunds.iter().map(|refund| refund.tickets.len()).collect::<Vec<_>>(), [tickets]);
    };
    given::<Reservation>(with_tickets())
        .when(ReservationCommand::CallOff)
        .then_state(|order| goes_back(order, 3));
    let late = paying().into_iter().chain([called_off()]);
    given::<Reservation>(late).when(Complete { payment: payment(1) }).then_state(|order| goes_back(order, 3));
}
