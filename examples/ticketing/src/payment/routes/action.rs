//! `/payments/{id}/action`: the development gateway asks the payer, as a bank would on a page of its own.

use super::{PaymentBody, Till, action_url, payment_of};
use crate::checkout::{act_on, settle};
use crate::payment::{Payment, PaymentStatus};
use crate::reservation::Reservation;
use crate::shared::PaymentId;
use axum::Extension;
use axum::extract::{FromRequest, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{Html, IntoResponse, Response};
use composable_rust::prelude::*;
use composable_rust::web::{FormBody, SeeOther};
use serde::Deserialize;

/// What the payer says.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Approval {
    approve: bool,
}

impl Validate for Approval {}

/// What the payer says, from a program or from the page.
#[derive(Debug, Clone, Copy)]
pub(super) enum Said {
    Json(bool),
    Form(bool),
}

impl<S: Send + Sync> FromRequest<S> for Said {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
            let FormBody(Approval { approve }) = FormBody::from_request(request, state).await?;
            return Ok(Self::Form(approve));
        }
        let JsonBody(Approval { approve }) =
            <JsonBody<_> as FromRequest<S>>::from_request(request, state).await?;
        Ok(Self::Json(approve))
    }
}

pub(super) async fn page(
    State(app): State<Application>,
    principal: Principal,
    PathId(id): PathId<PaymentId>,
) -> Result<Html<String>, Problem> {
    let payment = own_payment(&app, id, &principal).await?.state;
    let amount = payment.terms.map(|terms| terms.amount.to_string()).unwrap_or_default();
    let question = if payment.status == PaymentStatus::RequiresAction {
        let (path, button) = (action_url(id), |value, says| {
            format!("<button type=\"submit\" name=\"approve\" value=\"{value}\">{says}</button>")
        });
        let (yes, no) = (button(true, "Approve"), button(false, "Decline"));
        format!("<form method=\"post\" action=\"{path}\"><p>Do you pay {amount}?</p><p>{yes} {no}</p></form>")
    } else {
        format!("<p>This payment of {amount} is {}.</p>", payment.status)
    };
    Ok(Html(format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>Approve a payment</title>\
         </head><body><main><h1>Approve a payment</h1>{question}</main></body></html>\n"
    )))
}

pub(super) async fn act(
    State(app): State<Application>,
    Extension(till): Extension<Till>,
    (principal, command): (Principal, CommandRequest),
    PathId(id): PathId<PaymentId>,
    said: Said,
) -> Result<Response, Problem> {
    let payment = own_payment(&app, id, &principal).await?;
    let terms = payment.state.terms.as_ref().ok_or_else(Problem::internal)?;
    if payment.state.status != PaymentStatus::RequiresAction {
        let detail = format!("the payment is {}: nothing is asked", payment.state.status);
        return Err(Problem::conflict("wrong_state", detail));
    }
    let order = app.load::<Reservation>(&terms.reservation).await?.ok_or_else(Problem::internal)?.state;
    let (Said::Json(approves) | Said::Form(approves)) = said;
    let answer = act_on(&app, &*till.gateway, id, approves).await;
    settle(&app, (terms.reservation, &order), id, answer, command.context()).await?;
    let after = payment_of(&app, id).await?;
    Ok(match said {
        Said::Json(_) => Written::ok(&after, PaymentBody::new(id, &after.state).linked(&app)).into_response(),
        Said::Form(_) => SeeOther::to(format!("/orders/{}", terms.reservation)).into_response(),
    })
}

/// The payment, if this person pays it: nobody else speaks for him.
async fn own_payment(
    app: &Application,
    id: PaymentId,
    principal: &Principal,
) -> Result<Loaded<Payment>, Problem> {
    let found = payment_of(app, id).await?;
    if found.state.terms.as_ref().is_some_and(|terms| terms.customer == principal.user_id) {
        Ok(found)
    } else {
        Err(Problem::forbidden("this payment is another's"))
    }
}
