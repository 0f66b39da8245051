//! `/api/payments`: pay, look, refund.

mod action;
mod refund;

use super::gateway::{self, ChargeAnswer, PaymentGateway};
use super::views::PaymentList;
use super::{Method, NewPayment, Payment, PaymentCommand, PaymentStatus};
use crate::checkout::{charge, settle};
use crate::reservation::{Reservation, ReservationCommand};
use crate::shared::{Money, PaymentId, PublicUrl, ReservationId};
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Router, routing};
use composable_rust::later;
use composable_rust::prelude::*;
use composable_rust::runtime::resilience::CircuitState;
use composable_rust::web::{Routes, get, post};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// What a payment needs besides the request.
#[derive(Debug, Clone)]
pub struct Till {
    /// How long a payment that was started keeps its places.
    pub guarantee: Duration,
    /// Who moves the money.
    pub gateway: Arc<dyn PaymentGateway>,
}

impl Till {
    /// Whether the gateway has not answered for a while, so that payments take longer.
    pub fn is_silent(&self) -> bool {
        self.gateway.circuit().is_some_and(|circuit| circuit.state() != CircuitState::Closed)
    }
}

/// The routes of this slice.
pub fn routes(till: Till) -> Routes {
    let page = Router::new().route("/payments/{id}/action", routing::get(action::page).post(action::act));
    Routes::new()
        .route(
            "/api/payments",
            post(pay)
                .about("Pays an order")
                .refuses(StatusCode::NOT_FOUND, &["not_found"])
                .refuses(StatusCode::CONFLICT, &["already_paid", "payment_in_progress", "wrong_state"])
                .refuses(StatusCode::GONE, &["hold_expired"]),
        )
        .route(
            "/api/payments/{id}",
            get(one).about("A payment").refuses(StatusCode::FORBIDDEN, &["forbidden"]),
        )
        .route(
            "/api/payments/{id}/refund",
            post(refund::refund)
                .about("Gives money back, for all tickets or some")
                .succeeds(StatusCode::OK)
                .succeeds(StatusCode::ACCEPTED)
                .refuses(StatusCode::CONFLICT, &["nothing_to_refund", "wrong_state"]),
        )
        .route(
            "/api/payments/user/{user_id}",
            get(list).about("Somebody's payments").refuses(StatusCode::FORBIDDEN, &["forbidden"]),
        )
        .merge(page)
        .layer(Extension(till))
}

/// A payment as the API shows it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PaymentBody {
    id: PaymentId,
    status: PaymentStatus,
    #[serde(flatten)]
    terms: Option<TermsBody>,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    action_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decline_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refunded: Option<Money>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct TermsBody {
    reservation_id: ReservationId,
    user_id: UserId,
    amount: Money,
    method: Method,
}

impl PaymentBody {
    /// The payment as it stands.
    pub fn new(id: PaymentId, payment: &Payment) -> Self {
        let terms = |terms: &NewPayment| TermsBody {
            reservation_id: terms.reservation,
            user_id: terms.customer,
            amount: terms.amount,
            method: terms.method,
        };
        Self {
            id,
            status: payment.status,
            terms: payment.terms.as_ref().map(terms),
            created_at: payment.started_at,
            action_url: (payment.status == PaymentStatus::RequiresAction).then(|| action_url(id)),
            decline_reason: payment.decline_reason.clone(),
            refunded: payment.refunded,
        }
    }

    /// With a link that leads there from anywhere.
    fn linked(mut self, app: &Application) -> Self {
        self.action_url = self.action_url.map(|path| PublicUrl::link(app, path));
        self
    }
}

/// What is to be paid, and how.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub struct Pay {
    /// Which order.
    pub reservation_id: ReservationId,
    /// How.
    pub method: Method,
}

// Whether the method fits the amount is known with the reservation only.
impl Validate for Pay {}

async fn pay(
    State(app): State<Application>,
    Extension(till): Extension<Till>,
    principal: Principal,
    command: KeyedRequest,
    JsonBody(pay): JsonBody<Pay>,
) -> Result<Created<PaymentBody>, Problem> {
    let paid = pay_order(&app, &till, &principal, &command, pay).await?;
    let body = PaymentBody::new(paid.id, &paid.payment.state).linked(&app);
    Ok(Written::created(&paid, format!("/api/payments/{}", paid.id), body))
}

/// A payment that was started.
#[derive(Debug, Clone)]
pub struct Paid {
    /// Its id.
    pub id: PaymentId,
    /// What became of it.
    pub payment: Loaded<Payment>,
    /// Where that is in the log.
    pub position: Position,
}

impl Versioned for Paid {
    fn version(&self) -> StreamVersion {
        self.payment.version
    }

    fn position(&self) -> Option<Position> {
        Some(self.position)
    }
}

/// Starts the payment, charges and settles. Whatever interrupts it, the checkout process finishes.
///
/// # Errors
/// 404 and 403 as for every reservation, 422 when the method does not fit the amount; what the reservation refuses.
pub async fn pay_order(
    app: &Application,
    till: &Till,
    principal: &Principal,
    command: &CommandRequest,
    pay: Pay,
) -> Result<Paid, Problem> {
    let unknown = || Problem::not_found("there is no such reservation");
    let reservation = app.load::<Reservation>(&pay.reservation_id).await?.ok_or_else(unknown)?.state;
    let order = reservation.order.as_ref().ok_or_else(unknown)?;
    if order.customer != principal.user_id {
        return Err(Problem::forbidden("this reservation is another's"));
    }
    check_method(pay.method, order.total)?;

    let id: PaymentId = command.new_id(0);
    // A payment guarantees its hold, and never shortens it.
    let until = later(app.environment().now(), till.guarantee).max(order.until);
    let terms = NewPayment {
        reservation: pay.reservation_id,
        show: order.show,
        customer: order.customer,
        amount: order.total,
        method: pay.method,
        until,
    };
    let start = ReservationCommand::StartPayment { payment: id, until };
    let commands = (on(id, PaymentCommand::Start(terms)), on(pay.reservation_id, start));
    let started = app.execute_all(commands).request(command.context()).await?;

    let answer = match pay.method {
        Method::Free {} => ChargeAnswer::Succeeded,
        method @ Method::Simulated { .. } => {
            charge(app, &*till.gateway, id, gateway::Order { amount: order.total, method, until }).await
        }
    };
    let order = (pay.reservation_id, &reservation);
    let settled = settle(app, order, id, answer, command.step("settle")).await?;
    let payment = app.load::<Payment>(&id).await?.ok_or_else(Problem::internal)?;
    Ok(Paid { id, payment, position: settled.unwrap_or(started.position) })
}

fn check_method(method: Method, total: Money) -> Result<(), Problem> {
    let mut findings = Findings::default();
    findings.inside("method", |findings| match method {
        Method::Free {} if !total.is_zero() => findings.add("type", "not_free", "this order costs something"),
        Method::Simulated { .. } if total.is_zero() => {
            findings.add("type", "nothing_to_pay", "this order costs nothing: use the method free");
        }
        Method::Free {} | Method::Simulated { .. } => {}
    });
    findings.into_result()
}

async fn one(
    State(app): State<Application>,
    principal: Principal,
    PathId(id): PathId<PaymentId>,
) -> Result<Written<PaymentBody>, Problem> {
    let found = payment_of(&app, id).await?;
    let is_payer = found.state.terms.as_ref().is_some_and(|terms| terms.customer == principal.user_id);
    if is_payer || principal.has_role("admin") {
        Ok(Written::ok(&found, PaymentBody::new(id, &found.state).linked(&app)))
    } else {
        Err(Problem::forbidden("this payment is another's"))
    }
}

/// Where the payer says whether he pays, in place of his bank's page.
pub fn action_url(payment: PaymentId) -> String {
    format!("/payments/{payment}/action")
}

async fn payment_of(app: &Application, id: PaymentId) -> Result<Loaded<Payment>, Problem> {
    let unknown = || Problem::not_found("there is no such payment");
    app.load::<Payment>(&id).await?.ok_or_else(unknown)
}

#[derive(Debug, Deserialize, JsonSchema)]
struct WithStatus {
    status: Option<PaymentStatus>,
}

async fn list(
    State(app): State<Application>,
    principal: Principal,
    PathId(user): PathId<UserId>,
    QueryParams(only): QueryParams<WithStatus>,
    (pagination, min_position): (Pagination, MinPosition),
) -> Result<PageBody<PaymentBody>, Problem> {
    if user != principal.user_id && !principal.has_role("admin") {
        return Err(Problem::forbidden("these payments are another's"));
    }
    let mut query = min_position.of(app.view::<PaymentList>()).query().filter_eq("customer", user);
    if let Some(status) = only.status {
        query = query.filter_eq("status", status);
    }
    let page =
        query.order_by_descending("started_at").page(pagination.page, pagination.page_size).fetch().await?;
    Ok(PageBody::new(pagination, page, |row| PaymentBody::new(row.id, &row.payment).linked(&app)))
}
