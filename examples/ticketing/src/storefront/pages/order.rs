//! `/orders/{id}`: one order, from the hold to the tickets.

use super::Counter;
use super::frame::Frame;
use super::told::{When, duration, tone};
use crate::checkout::give_up;
use crate::payment::{Method, Pay, Payment, PaymentStatus, SimulatedOutcome, action_url, pay_order};
use crate::reservation::{Order, Reservation, ReservationStatus, extend_hold, qr_svg, reservation_of};
use crate::shared::{Line, ReservationId, Ticket};
use crate::show::{Listing, Show};
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use composable_rust::elapsed;
use composable_rust::prelude::*;
use composable_rust::web::{FormBody, SeeOther};
use serde::Deserialize;

/// What the development gateway can be told to do, in words of a customer.
const OUTCOMES: [(SimulatedOutcome, &str, &str); 6] = [
    (SimulatedOutcome::Succeed, "A card that works", "The money moves at once."),
    (
        SimulatedOutcome::Decline,
        "A card that is declined",
        "You can try another one while your places are held.",
    ),
    (
        SimulatedOutcome::RequiresAction,
        "A bank that asks you first",
        "You approve or decline before the money moves.",
    ),
    (SimulatedOutcome::Slow, "A slow bank", "The answer takes three seconds."),
    (
        SimulatedOutcome::LostAnswer,
        "A broken connection",
        "Charged, but the answer is lost and asked for again.",
    ),
    (
        SimulatedOutcome::LateSuccess,
        "A payment that comes too late",
        "You get free places again, or your money back.",
    ),
];

#[derive(Template)]
#[template(path = "order.html")]
struct OrderPage<'a> {
    frame: &'a Frame,
    id: ReservationId,
    tone: u64,
    reservation: &'a Reservation,
    order: &'a Order,
    listing: &'a Listing,
    when: When,
    now: Timestamp,
    /// Where the bank's question is answered, if it asks one.
    question: Option<String>,
    /// Whether the bank has not answered for a while, and is asked by nobody now.
    is_bank_silent: bool,
}

impl OrderPage<'_> {
    fn status(&self) -> ReservationStatus {
        self.reservation.status
    }

    fn heading(&self) -> &'static str {
        match self.status() {
            ReservationStatus::Held => "Pay your order",
            ReservationStatus::Paying if self.question.is_some() => "Your bank asks you",
            ReservationStatus::Paying => "Confirming your payment",
            ReservationStatus::Completed | ReservationStatus::PartiallyRefunded => "Your tickets",
            ReservationStatus::Refunded => "Your money is back",
            ReservationStatus::Expired => "Your hold has ended",
            ReservationStatus::Cancelled | ReservationStatus::Unplaced => "You gave this order up",
        }
    }

    fn is_held(&self) -> bool {
        self.status() == ReservationStatus::Held
    }

    fn is_paying(&self) -> bool {
        self.status() == ReservationStatus::Paying
    }

    fn is_waiting(&self) -> bool {
        self.is_paying() && self.question.is_none()
    }

    fn is_expired(&self) -> bool {
        self.status() == ReservationStatus::Expired
    }

    fn tickets(&self) -> &[Ticket] {
        &self.reservation.tickets
    }

    /// Whether it does not open the door any more.
    fn is_returned(&self, ticket: &Ticket) -> bool {
        self.reservation.refunded.contains(&ticket.id)
    }

    fn has_failed(&self) -> bool {
        self.is_held() && self.reservation.attempts > 0
    }

    fn until(&self) -> When {
        When::new(self.order.until, &self.listing.venue.time_zone)
    }

    fn left(&self) -> String {
        duration(elapsed(self.now, self.order.until))
    }
}

/// What the places of a line cost together.
fn sum_of(line: &Line) -> String {
    line.price.times(line.quantity).map(|sum| sum.to_string()).unwrap_or_default()
}

/// The code of a ticket, to be scanned.
fn qr_of(ticket: &Ticket) -> String {
    qr_svg(&ticket.code).unwrap_or_default()
}

/// Where an order stands, in few words.
pub(super) fn state_of(status: ReservationStatus) -> &'static str {
    match status {
        ReservationStatus::Held => "Waiting to be paid",
        ReservationStatus::Paying => "Payment is being confirmed",
        ReservationStatus::Completed => "Paid",
        ReservationStatus::PartiallyRefunded => "Refunded in part",
        ReservationStatus::Refunded => "Refunded",
        ReservationStatus::Expired => "Hold has ended",
        ReservationStatus::Cancelled | ReservationStatus::Unplaced => "Given up",
    }
}

/// How an order looks: something to do, something to have, something that was.
pub(super) fn tense(status: ReservationStatus) -> &'static str {
    match status {
        ReservationStatus::Held | ReservationStatus::Paying => "open",
        ReservationStatus::Completed | ReservationStatus::PartiallyRefunded => "good",
        ReservationStatus::Expired
        | ReservationStatus::Cancelled
        | ReservationStatus::Refunded
        | ReservationStatus::Unplaced => "past",
    }
}

pub(super) async fn page(
    State(app): State<Application>,
    Extension(counter): Extension<Counter>,
    frame: Frame,
    principal: Principal,
    PathId(id): PathId<ReservationId>,
) -> Result<Response, Problem> {
    let reservation = reservation_of(&app, id, &principal).await?.state;
    let order = reservation.order.as_ref().ok_or_else(Problem::internal)?;
    let show = app.load::<Show>(&order.show).await?.ok_or_else(Problem::internal)?.state;
    let listing = show.listing.as_ref().ok_or_else(Problem::internal)?;
    let question = question(&app, &reservation).await?;
    frame.shows(&OrderPage {
        frame: &frame,
        id,
        tone: tone(order.show.as_uuid()),
        reservation: &reservation,
        order,
        listing,
        when: When::new(listing.starts_at, &listing.venue.time_zone),
        now: app.environment().now(),
        question,
        is_bank_silent: counter.till.is_silent(),
    })
}

/// Where the payer is asked about the payment that is under way, if he is.
async fn question(app: &Application, reservation: &Reservation) -> Result<Option<String>, Problem> {
    let (ReservationStatus::Paying, Some(id)) = (reservation.status, reservation.payment) else {
        return Ok(None);
    };
    let payment = app.load::<Payment>(&id).await?;
    let asks = payment.is_some_and(|payment| payment.state.status == PaymentStatus::RequiresAction);
    Ok(asks.then(|| action_url(id)))
}

pub(super) async fn extend(
    State(app): State<Application>,
    Extension(counter): Extension<Counter>,
    principal: Principal,
    command: KeyedRequest,
    PathId(id): PathId<ReservationId>,
) -> Result<SeeOther, Problem> {
    let extended = extend_hold(&app, counter.hold, &principal, &command, id).await?;
    Ok(SeeOther::to(format!("/orders/{id}")).after(&extended).saying("Your places are held for longer."))
}

#[derive(Debug, Deserialize)]
pub(super) struct PayForm {
    /// Left out where nothing is to be paid.
    outcome: Option<SimulatedOutcome>,
}

// Whether it fits the amount is the payment's to say.
impl Validate for PayForm {}

pub(super) async fn pay(
    State(app): State<Application>,
    Extension(counter): Extension<Counter>,
    (principal, command): (Principal, KeyedRequest),
    PathId(id): PathId<ReservationId>,
    FormBody(form): FormBody<PayForm>,
) -> Result<SeeOther, Problem> {
    let method = form.outcome.map_or(Method::Free {}, |outcome| Method::Simulated { outcome });
    let pay = Pay { reservation_id: id, method };
    let paid = pay_order(&app, &counter.till, &principal, &command, pay).await?;
    Ok(SeeOther::to(format!("/orders/{id}")).after(&paid))
}

pub(super) async fn cancel(
    State(app): State<Application>,
    Extension(counter): Extension<Counter>,
    (principal, command): (Principal, KeyedRequest),
    PathId(id): PathId<ReservationId>,
) -> Result<SeeOther, Problem> {
    let found = reservation_of(&app, id, &principal).await?.state;
    let written = give_up(&app, &*counter.till.gateway, (id, &found), command.context()).await?;
    Ok(SeeOther::to("/orders").after(&written).saying("The order is given up and its places are free again."))
}

/// To the page whose form was sent here.
pub(super) async fn back(PathId(id): PathId<ReservationId>) -> SeeOther {
    SeeOther::to(format!("/orders/{id}"))
}
