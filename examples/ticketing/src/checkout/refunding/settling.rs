//! How a request gives tickets back: two appends and one call between them, so that its answer is final.

use crate::checkout::settling::{unless_refused, within};
use crate::inventory::InventoryCommand;
use crate::payment::PaymentCommand;
use crate::payment::gateway::PaymentGateway;
use crate::quota::QuotaCommand;
use crate::reservation::{ReservationCommand, ReservationEvent, TicketRefund};
use crate::shared::{Money, RefundId, ReservationId, TicketId, worth_of};
use composable_rust::prelude::*;

/// Tickets that went back.
#[derive(Debug, Clone)]
pub struct GivenBack {
    /// The refund.
    pub id: RefundId,
    /// What it gave back.
    pub amount: Money,
    /// What could still be given back of the order.
    pub remaining: Money,
    /// Whether the money has moved; else it will, whatever happens.
    pub is_done: bool,
    /// Where it is in the log.
    pub position: Position,
}

/// Gives back the tickets that are named, or all that are left. Whatever interrupts it, the refunding process finishes.
///
/// # Errors
/// 409 `nothing_to_refund`; [`Problem`] when it could not be written.
pub async fn refund_tickets(
    app: &Application,
    gateway: &dyn PaymentGateway,
    order: ReservationId,
    (tickets, reason): (Option<Vec<TicketId>>, Option<String>),
    command: &CommandRequest,
) -> Result<GivenBack, Problem> {
    let start = ReservationCommand::StartRefund { refund: command.new_id(0), tickets, reason };
    let started = app.execute(order, start).request(command.context()).await?;
    let is_started = |event: &ReservationEvent| {
        let ReservationEvent::RefundStarted(refund) = event else { return None };
        Some(refund.clone())
    };
    let refund = started.events.iter().find_map(is_started);
    let refund = refund.ok_or_else(Problem::internal)?;
    let TicketRefund { id, payment, amount, .. } = refund;
    let remaining = worth_of(started.state.refundable()).unwrap_or(Money::zero(amount.currency));
    let is_done =
        amount.is_zero() || matches!(within(app, gateway.refund(payment, id, amount)).await, Some(Ok(())));
    let finished = if is_done { finish(app, order, &refund, command.step("finish")).await? } else { None };
    Ok(GivenBack { id, amount, remaining, is_done, position: finished.unwrap_or(started.position) })
}

/// Tells order, payment, places and limit in one append; `None` when the process was faster.
async fn finish(
    app: &Application,
    order: ReservationId,
    refund: &TicketRefund,
    request: RequestContext,
) -> Result<Option<Position>, Problem> {
    let TicketRefund { id, payment, amount, places, .. } = refund;
    let finish = on(order, ReservationCommand::FinishRefund { refund: *id, is_settled: true });
    let refunded = on(*payment, PaymentCommand::Refund { refund: *id, amount: *amount });
    let take_back = places.iter().map(|(section, places)| {
        on(*section, InventoryCommand::TakeBack { reservation: order, places: places.clone() })
    });
    let quantity = refund.quantity();
    let uncounted = on(refund.quota.clone(), QuotaCommand::GiveBackSome { reservation: order, quantity });
    let commands = (finish, refunded, take_back.collect::<Vec<_>>(), uncounted);
    let finished = unless_refused(app.execute_all(commands).request(request).await)?;
    Ok(finished.map(|receipt| receipt.position))
}
