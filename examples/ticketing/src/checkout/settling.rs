//! What a request settles itself, in one append over order, places and money, so that its answer is final.
//!
//! What a request leaves unsettled, because it ended early or somebody else was faster, the process settles.

use crate::inventory::InventoryCommand;
use crate::payment::PaymentCommand;
use crate::payment::gateway::{ChargeAnswer, NoAnswer, PaymentGateway, StopAnswer};
use crate::quota::QuotaCommand;
use crate::reservation::{Reservation, ReservationCommand, ReservationStatus};
use crate::shared::{PaymentId, QuotaId, ReservationId, SectionId, holds_of};
use composable_rust::prelude::*;
use std::time::Duration;

/// How long a request waits for the gateway.
const GATEWAY_TIMEOUT: Duration = Duration::from_secs(5);

/// Records what the gateway answered about the payment of an order, with all that follows from it.
///
/// `None` when there is nothing to record yet, or somebody else has recorded it.
///
/// # Errors
/// [`Problem`] when it could not be written; the process then does it later.
pub async fn settle(
    app: &Application,
    (id, reservation): (ReservationId, &Reservation),
    payment: PaymentId,
    answer: ChargeAnswer,
    request: RequestContext,
) -> Result<Option<Position>, Problem> {
    let (outcome, consequence) = match answer {
        ChargeAnswer::Succeeded => (PaymentCommand::Succeed, ReservationCommand::Complete { payment }),
        ChargeAnswer::Declined { reason } => {
            (PaymentCommand::Decline { reason }, ReservationCommand::FailPayment { payment })
        }
        ChargeAnswer::Stopped => (PaymentCommand::Cancel, ReservationCommand::FailPayment { payment }),
        ChargeAnswer::RequiresAction => return require_action(app, payment, request).await,
        ChargeAnswer::Unanswered => return Ok(None),
    };
    let is_paid = outcome == PaymentCommand::Succeed;
    let sold = sections_of(reservation).into_iter().filter(|_| is_paid);
    let confirms: Vec<_> =
        sold.map(|section| on(section, InventoryCommand::Confirm { reservation: id })).collect();
    let commands = (on(payment, outcome), on(id, consequence), confirms);
    let settled = unless_refused(app.execute_all(commands).request(request).await)?;
    Ok(settled.map(|receipt| receipt.position))
}

async fn require_action(
    app: &Application,
    payment: PaymentId,
    mut request: RequestContext,
) -> Result<Option<Position>, Problem> {
    // A repeat of the request may settle what the payer has decided since: that is another command, so this has an id
    // of its own. A second time it changes nothing.
    request.command_id = None;
    let asked = app.execute(payment, PaymentCommand::RequireAction).request(request).await;
    Ok(unless_refused(asked)?.map(|receipt| receipt.position))
}

/// Gives an order up for its customer: a payment under way is stopped first, then everything is free again at once.
///
/// # Errors
/// 409 `already_paid`, 410 `hold_expired`; 409 `payment_in_progress` when the gateway does not answer.
pub async fn give_up(
    app: &Application,
    gateway: &dyn PaymentGateway,
    (id, reservation): (ReservationId, &Reservation),
    request: RequestContext,
) -> Result<(StreamVersion, Position), Problem> {
    let mut known = reservation.clone();
    loop {
        let stopped = match (known.status, known.payment) {
            (ReservationStatus::Paying, Some(payment)) => Some(stop(app, gateway, payment).await?),
            _ => None,
        };
        match end(app, (id, &known), stopped, request.clone()).await {
            Ok(written) => return Ok(written),
            Err(error) => {
                // A payment that has begun or ended meanwhile: the order is looked at again, as often as it moves.
                let now = app.load::<Reservation>(id).await?.map(|found| found.state);
                match now.filter(|now| now.payment != known.payment) {
                    Some(now) => known = now,
                    None => return Err(error),
                }
            }
        }
    }
}

/// The order's end and all that follows from it, in one append.
async fn end(
    app: &Application,
    (id, reservation): (ReservationId, &Reservation),
    stopped: Option<PaymentId>,
    request: RequestContext,
) -> Result<(StreamVersion, Position), Problem> {
    let payment: Vec<_> = stopped.map(|payment| on(payment, PaymentCommand::Cancel)).into_iter().collect();
    let release = |section| on(section, InventoryCommand::Release { reservation: id });
    let releases: Vec<_> = sections_of(reservation).into_iter().map(release).collect();
    let quota = reservation.order.as_ref().map(|order| QuotaId::of(order.show, order.customer));
    let uncounted: Vec<_> =
        quota.map(|quota| on(quota, QuotaCommand::GiveBack { reservation: id })).into_iter().collect();
    let commands = (on(id, ReservationCommand::Cancel { stopped }), payment, releases, uncounted);
    let receipt = app.execute_all(commands).request(request).await?;
    Ok((receipt.parts.0.version, receipt.position))
}

/// Asks the gateway to charge, for as long as a request may wait. No answer is an answer: the process asks again.
pub async fn charge(
    app: &Application,
    gateway: &dyn PaymentGateway,
    payment: PaymentId,
    order: crate::payment::gateway::Order,
) -> ChargeAnswer {
    answered(app, gateway.charge(payment, order)).await
}

/// Tells the gateway what the payer says. No answer is an answer, as to [`charge`].
pub async fn act_on(
    app: &Application,
    gateway: &dyn PaymentGateway,
    payment: PaymentId,
    approves: bool,
) -> ChargeAnswer {
    answered(app, gateway.act(payment, approves)).await
}

async fn answered(
    app: &Application,
    asked: impl Future<Output = Result<ChargeAnswer, NoAnswer>>,
) -> ChargeAnswer {
    within(app, asked).await.and_then(Result::ok).unwrap_or(ChargeAnswer::Unanswered)
}

async fn stop(
    app: &Application,
    gateway: &dyn PaymentGateway,
    payment: PaymentId,
) -> Result<PaymentId, Problem> {
    match within(app, gateway.stop(payment)).await {
        Some(Ok(StopAnswer::Stopped)) => Ok(payment),
        Some(Ok(StopAnswer::AlreadyCharged)) => {
            Err(Problem::conflict("already_paid", "the reservation is already paid"))
        }
        Some(Ok(StopAnswer::Unanswered) | Err(_)) | None => {
            let detail = "a payment is under way and its outcome is not known yet; try again shortly";
            Err(Problem::conflict("payment_in_progress", detail))
        }
    }
}

/// What was written; nothing when it was refused, because somebody else has settled it.
pub(super) fn unless_refused<T, R>(written: Result<T, ExecuteError<R>>) -> Result<Option<T>, Problem>
where
    R: std::error::Error,
    Problem: From<ExecuteError<R>>,
{
    match written {
        Ok(receipt) => Ok(Some(receipt)),
        Err(ExecuteError::Rejected(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The output of a future that ends in time.
pub(super) async fn within<T>(app: &Application, future: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        output = future => Some(output),
        () = app.environment().clock.sleep(GATEWAY_TIMEOUT) => None,
    }
}

fn sections_of(reservation: &Reservation) -> Vec<SectionId> {
    reservation.order.iter().flat_map(|order| holds_of(&order.lines).into_keys()).collect()
}
