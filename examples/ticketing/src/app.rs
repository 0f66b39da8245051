//! Everything assembled, on one screen.

use crate::account::{self, Sessions};
use crate::checkout::Checkout;
use crate::config::Config;
use crate::inventory::{self, Inventory, views::Availability};
use crate::payment::gateway::PaymentGateway;
use crate::payment::{self, ChargeCard, Payment, RefundCard, StopCharging, views::PaymentList};
use crate::quota::Quota;
use crate::reservation::{self, Reservation, views::ReservationList, views::TicketList};
use crate::show::{self, Show, views::ShowList};
use composable_rust::prelude::*;
use composable_rust::runtime::BoxError;
use std::sync::Arc;

/// What decides, what happens next and what is shown; without storage, HTTP and the operator's choices.
pub fn domain(gateway: &Arc<dyn PaymentGateway>) -> ApplicationBuilder {
    Application::builder("ticketing")
        .decider::<Show>()
        .decider::<Inventory>()
        .decider::<Quota>()
        .decider::<Reservation>()
        .decider::<Payment>()
        .process::<Checkout>()
        .activity(ChargeCard(Arc::clone(gateway)))
        .activity(StopCharging(Arc::clone(gateway)))
        .activity(RefundCard(Arc::clone(gateway)))
        .projection(ShowList)
        .projection(Availability)
        .projection(ReservationList)
        .projection(TicketList)
        .projection(PaymentList)
}

/// The whole application.
///
/// # Errors
/// When the development gateway's books or the session secret cannot be opened.
pub fn ticketing(config: &Config) -> Result<ApplicationBuilder, BoxError> {
    let gateway: Arc<dyn PaymentGateway> = Arc::new(config.gateway()?);
    let sessions = Sessions::new(config.secret()?, config.admin_email.clone());
    Ok(domain(&gateway)
        .storage(config.storage())
        .http(HttpOptions::listen(config.address))
        .authenticator(sessions.clone())
        .routes(account::routes(sessions))
        .routes(show::pages())
        .routes(show::routes())
        .routes(inventory::routes())
        .routes(reservation::routes(config.hold, Arc::clone(&gateway)))
        .routes(payment::routes(config.payment, gateway)))
}
