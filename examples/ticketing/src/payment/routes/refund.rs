//! `POST /api/payments/{id}/refund`: the organiser gives tickets back for their money.

use super::{Till, payment_of};
use crate::checkout::refund_tickets;
use crate::reservation::Reservation;
use crate::shared::{Money, PaymentId, RefundId, TicketId};
use crate::show::event_to_manage;
use axum::Extension;
use axum::extract::State;
use composable_rust::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Which tickets go back; all that are left when none is named.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(super) struct RefundTickets {
    #[schemars(length(min = 1, max = 100), extend("uniqueItems" = true))]
    ticket_ids: Option<Vec<TicketId>>,
    #[schemars(length(max = 500))]
    reason: Option<String>,
}

impl Validate for RefundTickets {
    fn validate(&self, findings: &mut Findings) {
        findings.length("reason", self.reason.as_deref().unwrap_or_default(), 0..=500);
        let Some(tickets) = &self.ticket_ids else { return };
        findings.count("ticket_ids", tickets.len(), 1..=100);
        let distinct: BTreeSet<_> = tickets.iter().collect();
        let detail = "a ticket is named twice";
        findings.check(distinct.len() == tickets.len(), "ticket_ids", "duplicate", detail);
    }
}

/// What went back, and what could still go.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct RefundBody {
    id: RefundId,
    /// `processing` where the gateway has not answered: then the money goes back later, whatever happens.
    #[schemars(extend("enum" = ["refunded", "processing"]))]
    status: &'static str,
    refunded: Money,
    remaining: Money,
}

pub(super) async fn refund(
    State(app): State<Application>,
    Extension(till): Extension<Till>,
    (principal, command): (Principal, KeyedRequest),
    PathId(id): PathId<PaymentId>,
    body: Option<JsonBody<RefundTickets>>,
) -> Result<Written<RefundBody>, Problem> {
    let RefundTickets { ticket_ids, reason } = body.map(|JsonBody(body)| body).unwrap_or_default();
    let payment = payment_of(&app, id).await?;
    let terms = payment.state.terms.ok_or_else(Problem::internal)?;
    event_to_manage(&app, terms.show, &principal).await?;
    let order = app.load::<Reservation>(&terms.reservation).await?.ok_or_else(Problem::internal)?.state;
    if order.payment != Some(id) {
        return Err(Problem::conflict("nothing_to_refund", "this payment has bought no tickets"));
    }
    let mut findings = Findings::default();
    let is_ours = |ticket: &TicketId| order.tickets.iter().any(|known| known.id == *ticket);
    let are_ours = ticket_ids.iter().flatten().all(is_ours);
    findings.check(are_ours, "ticket_ids", "unknown", "this payment has not bought such a ticket");
    findings.into_result()?;
    let tickets = (ticket_ids, reason);
    let back = refund_tickets(&app, &*till.gateway, terms.reservation, tickets, &command).await?;
    let version = payment_of(&app, id).await?.version;
    let status = if back.is_done { "refunded" } else { "processing" };
    let body = RefundBody { id: back.id, status, refunded: back.amount, remaining: back.remaining };
    Ok(Written::ok(&(version, back.position), body))
}
