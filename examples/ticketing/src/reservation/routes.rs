//! `/api/reservations` and `/api/tickets`: order, look, give up.

mod sales;

use super::body::{ReservationBody, TicketBody};
use super::views::{ListedTicket, ReservationList, TicketList, TicketStatus};
use super::{Order, Reservation, ReservationCommand, ReservationStatus, qr_svg};
use crate::checkout::{give_up, seated};
use crate::inventory::InventoryCommand;
use crate::payment::views::PaymentList;
use crate::payment::{PaymentBody, PaymentGateway};
use crate::quota::QuotaCommand;
use crate::shared::{QuotaId, ReservationId, ShowId, TicketId, holds_of};
use crate::show::{Section, Show, Wanted, event_to_manage, event_to_see};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use composable_rust::later;
use composable_rust::prelude::*;
use composable_rust::web::{Endpoint, Routes, get, post};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// Most payments of the orders on one page: ten attempts each.
const MOST_PAYMENTS: u32 = 1_000;

/// How long places are held for an order that nobody pays.
#[derive(Debug, Clone, Copy)]
struct HoldTime(Duration);

/// The routes of this slice; `hold` is how long places are held, `gateway` stops payments of orders that are given up.
pub fn routes(hold: Duration, gateway: Arc<dyn PaymentGateway>) -> Routes {
    Routes::new()
        .route(
            "/api/reservations",
            post(place)
                .about("Holds places, all or none")
                .refuses(StatusCode::NOT_FOUND, &["not_found"])
                .refuses(StatusCode::CONFLICT, &["seats_unavailable", "sales_closed", "limit_exceeded"])
                .get(list)
                .about("One's own orders"),
        )
        .route(
            "/api/reservations/{id}",
            get(one)
                .about("An order")
                .refuses(StatusCode::FORBIDDEN, &["forbidden"])
                .delete(call_off)
                .about("Gives an order up")
                .refuses(StatusCode::CONFLICT, &["already_paid", "payment_in_progress", "wrong_state"])
                .refuses(StatusCode::GONE, &["hold_expired"]),
        )
        .route(
            "/api/reservations/{id}/extend",
            post(extend)
                .about("Holds the places for longer, ten times at most")
                .refuses(StatusCode::CONFLICT, &["limit_exceeded", "already_paid", "payment_in_progress"])
                .refuses(StatusCode::CONFLICT, &["wrong_state"])
                .refuses(StatusCode::GONE, &["hold_expired"]),
        )
        .route(
            "/api/tickets",
            private(get(tickets).about("One's own tickets, or those of an order"))
                .refuses(StatusCode::NOT_FOUND, &["not_found"]),
        )
        .route("/api/tickets/{id}", private(get(ticket).about("A ticket")))
        .route(
            "/api/tickets/{id}/qr.svg",
            private(get(qr).about("A ticket's code as a picture"))
                .answers_text("image/svg+xml")
                .refuses(StatusCode::CONFLICT, &["wrong_state"]),
        )
        .route(
            "/api/events/{id}/sales",
            private(get(sales::sales).about("What was sold of an event, by section and tier")),
        )
        .route(
            "/api/events/{id}/orders",
            private(get(orders).about("All orders of an event, with their payments")),
        )
        .layer(Extension(HoldTime(hold)))
        .layer(Extension(gateway))
}

/// What not everybody may see.
fn private(endpoint: Endpoint) -> Endpoint {
    endpoint.refuses(StatusCode::FORBIDDEN, &["forbidden"])
}

/// What a customer wants.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct NewReservation {
    /// Of which show.
    pub event_id: ShowId,
    /// Which places.
    #[schemars(length(min = 1, max = 10))]
    pub lines: Vec<Wanted>,
}

// The show's quote checks the lines.
impl Validate for NewReservation {}

async fn place(
    State(app): State<Application>,
    Extension(HoldTime(hold)): Extension<HoldTime>,
    principal: Principal,
    command: KeyedRequest,
    JsonBody(wanted): JsonBody<NewReservation>,
) -> Result<Created<ReservationBody>, Problem> {
    let placed = hold_places(&app, hold, &principal, &command, &wanted).await?;
    let body = ReservationBody::new(placed.id, &placed.reservation, app.environment().now());
    Ok(Written::created(&placed, format!("/api/reservations/{}", placed.id), body))
}

/// An order that holds its places.
#[derive(Debug, Clone)]
pub struct Placed {
    /// Its id.
    pub id: ReservationId,
    /// The order.
    pub reservation: Reservation,
    /// Its version.
    pub version: StreamVersion,
    /// Where it is in the log.
    pub position: Position,
}

impl Versioned for Placed {
    fn version(&self) -> StreamVersion {
        self.version
    }

    fn position(&self) -> Option<Position> {
        Some(self.position)
    }
}

/// Holds all places or none: order, places and the customer's limit change in one append.
///
/// # Errors
/// What the show, its sections or the customer's limit refuse.
pub async fn hold_places(
    app: &Application,
    hold: Duration,
    principal: &Principal,
    command: &CommandRequest,
    wanted: &NewReservation,
) -> Result<Placed, Problem> {
    let (id, customer): (ReservationId, _) = (command.new_id(0), principal.user_id);
    let show = event_to_see(app, wanted.event_id, Some(principal)).await?.state;
    let limit = show.listing.as_ref().and_then(|listing| listing.max_per_customer);
    // A repeat of a request that was carried out is not priced anew: it gets its first answer, whatever is sold now.
    let first = if command.is_new() { None } else { app.load::<Reservation>(&id).await? };
    let order = match first.and_then(|found| found.state.order) {
        Some(order) => order,
        None => priced(&show, wanted, customer, (app.environment().now(), hold))?,
    };
    let counted = QuotaCommand::Take { reservation: id, quantity: order.places(), limit };
    let hold = |(section, places)| on(section, InventoryCommand::Hold { reservation: id, places });
    let places: Vec<_> = holds_of(&order.lines).into_iter().map(hold).collect();
    let quota = on(QuotaId::of(wanted.event_id, customer), counted);
    // The sections choose the seats, and the order is told.
    let order = on(id, ReservationCommand::Place(order)).informed_by(seated(seats_of(&show, wanted)));
    let commands = (places, order, quota);

    let receipt = app.execute_all(commands).request(command.context()).await?;
    let order = receipt.parts.1;
    Ok(Placed { id, reservation: fold(&order.events), version: order.version, position: receipt.position })
}

/// The sections with numbered seats that are asked for.
fn seats_of(show: &Show, wanted: &NewReservation) -> Vec<Section> {
    let sections = show.listing.iter().flat_map(|listing| &listing.sections);
    let is_asked = |section: &&Section| {
        !section.rows.is_empty() && wanted.lines.iter().any(|line| line.section_id == section.id)
    };
    sections.filter(is_asked).cloned().collect()
}

/// The order at the show's prices.
fn priced(
    show: &Show,
    wanted: &NewReservation,
    customer: UserId,
    (now, hold): (Timestamp, Duration),
) -> Result<Order, Problem> {
    let offer = show.quote(&wanted.lines, now).map_err(|refused| Problem::rejection(&refused))?;
    let (show, until) = (wanted.event_id, later(now, hold));
    Ok(Order { show, customer, lines: offer.lines, total: offer.total, until })
}

async fn list(
    State(app): State<Application>,
    principal: Principal,
    pagination: Pagination,
    min_position: MinPosition,
) -> Result<PageBody<ReservationBody>, Problem> {
    let mine =
        min_position.of(app.view::<ReservationList>()).query().filter_eq("customer", principal.user_id);
    let page =
        mine.order_by_descending("placed_at").page(pagination.page, pagination.page_size).fetch().await?;
    let now = app.environment().now();
    Ok(PageBody::new(pagination, page, |row| ReservationBody::new(row.id, &row.reservation, now)))
}

async fn one(
    State(app): State<Application>,
    principal: Principal,
    PathId(id): PathId<ReservationId>,
) -> Result<Written<ReservationBody>, Problem> {
    let found = reservation_of(&app, id, &principal).await?;
    Ok(Written::ok(&found, ReservationBody::new(id, &found.state, app.environment().now())))
}

async fn extend(
    State(app): State<Application>,
    Extension(HoldTime(hold)): Extension<HoldTime>,
    principal: Principal,
    command: CommandRequest,
    PathId(id): PathId<ReservationId>,
) -> Result<Written<ReservationBody>, Problem> {
    let extended = extend_hold(&app, hold, &principal, &command, id).await?;
    Ok(Written::ok(&extended, ReservationBody::new(id, &extended.state, app.environment().now())))
}

/// Its owner's alone: an administrator may end another's hold, not prolong it.
///
/// # Errors
/// 404 and 403 as for every reservation; what the reservation refuses.
pub async fn extend_hold(
    app: &Application,
    hold: Duration,
    principal: &Principal,
    command: &CommandRequest,
    id: ReservationId,
) -> Result<Receipt<Reservation>, Problem> {
    let found = reservation_of(app, id, principal).await?;
    if found.state.order.as_ref().is_none_or(|order| order.customer != principal.user_id) {
        return Err(Problem::forbidden("this reservation is another's"));
    }
    let until = later(app.environment().now(), hold);
    Ok(app.execute(id, ReservationCommand::Extend { until }).request(command.context()).await?)
}

async fn call_off(
    State(app): State<Application>,
    Extension(gateway): Extension<Arc<dyn PaymentGateway>>,
    principal: Principal,
    command: CommandRequest,
    PathId(id): PathId<ReservationId>,
) -> Result<Written<()>, Problem> {
    let found = reservation_of(&app, id, &principal).await?;
    let written = give_up(&app, &*gateway, (id, &found.state), command.context()).await?;
    Ok(Written::no_content(&written))
}

/// The reservation, if it is this person's.
///
/// # Errors
/// 404 for an unknown one, 403 for another's.
pub async fn reservation_of(
    app: &Application,
    id: ReservationId,
    principal: &Principal,
) -> Result<Loaded<Reservation>, Problem> {
    let unknown = || Problem::not_found("there is no such reservation");
    let found = app.load::<Reservation>(&id).await?.ok_or_else(unknown)?;
    let is_owner = found.state.order.as_ref().is_some_and(|order| order.customer == principal.user_id);
    if is_owner || principal.has_role("admin") {
        Ok(found)
    } else {
        Err(Problem::forbidden("this reservation is another's"))
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
struct OfReservation {
    reservation_id: Option<ReservationId>,
}

async fn tickets(
    State(app): State<Application>,
    principal: Principal,
    QueryParams(only): QueryParams<OfReservation>,
    pagination: Pagination,
    min_position: MinPosition,
) -> Result<PageBody<TicketBody>, Problem> {
    let mut query = min_position.of(app.view::<TicketList>()).query();
    query = match only.reservation_id {
        Some(id) => {
            reservation_of(&app, id, &principal).await?;
            query.filter_eq("reservation", id)
        }
        None => query.filter_eq("holder", principal.user_id),
    };
    let page =
        query.order_by_descending("issued_at").page(pagination.page, pagination.page_size).fetch().await?;
    Ok(PageBody::new(pagination, page, TicketBody::from))
}

/// An order as its organiser sees it.
#[derive(Debug, Serialize, JsonSchema)]
struct OrderBody {
    #[serde(flatten)]
    reservation: ReservationBody,
    payments: Vec<PaymentBody>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct WithStatus {
    status: Option<ReservationStatus>,
}

async fn orders(
    State(app): State<Application>,
    principal: Principal,
    PathId(id): PathId<ShowId>,
    QueryParams(only): QueryParams<WithStatus>,
    (pagination, min_position): (Pagination, MinPosition),
) -> Result<PageBody<OrderBody>, Problem> {
    event_to_manage(&app, id, &principal).await?;
    let mut orders = min_position.of(app.view::<ReservationList>()).query().filter_eq("show", id);
    if let Some(status) = only.status {
        orders = orders.filter_eq("status", status);
    }
    let orders = orders.order_by_descending("placed_at").page(pagination.page, pagination.page_size);
    let page = orders.fetch().await?;
    // A payment is as new as its order.
    let payments = app.view::<PaymentList>().at_least_position(page.position);
    let payments = payments.query().any_of("reservation", page.items.iter().map(|row| row.id));
    let payments = payments.order_by("started_at").page(1, MOST_PAYMENTS).fetch().await?.items;
    let now = app.environment().now();
    Ok(PageBody::new(pagination, page, |row| {
        let of_order = payments.iter().filter(|payment| payment.reservation == row.id);
        OrderBody {
            reservation: ReservationBody::new(row.id, &row.reservation, now),
            payments: of_order.map(|payment| PaymentBody::new(payment.id, &payment.payment)).collect(),
        }
    }))
}

/// A picture for the door; a ticket that went back opens none, and has none.
async fn qr(
    State(app): State<Application>,
    principal: Principal,
    PathId(id): PathId<TicketId>,
    min_position: MinPosition,
) -> Result<Response, Problem> {
    let row = ticket_of(&app, id, &principal, min_position).await?;
    if row.status == TicketStatus::Refunded {
        return Err(Problem::conflict("wrong_state", "the ticket was refunded and opens no door"));
    }
    let picture = qr_svg(&row.ticket.code).ok_or_else(Problem::internal)?;
    Ok(([(CONTENT_TYPE, "image/svg+xml")], picture).into_response())
}

async fn ticket(
    State(app): State<Application>,
    principal: Principal,
    PathId(id): PathId<TicketId>,
    min_position: MinPosition,
) -> Result<Json<TicketBody>, Problem> {
    Ok(Json(ticket_of(&app, id, &principal, min_position).await?.into()))
}

/// The ticket, if it is this person's.
async fn ticket_of(
    app: &Application,
    id: TicketId,
    principal: &Principal,
    min_position: MinPosition,
) -> Result<ListedTicket, Problem> {
    let found = min_position.of(app.view::<TicketList>()).get(id).await?;
    let row = found.ok_or_else(|| Problem::not_found("there is no such ticket"))?;
    if row.holder == principal.user_id || principal.has_role("admin") {
        Ok(row)
    } else {
        Err(Problem::forbidden("this ticket is another's"))
    }
}
