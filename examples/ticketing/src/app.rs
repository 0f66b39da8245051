//! Everything assembled, on one screen.

use crate::account::{self, Account, Sessions};
use crate::checkout::{Cancelling, Checkout, FindOrders, Refunding};
use crate::config::Config;
use crate::inventory::{self, Inventory, LiveAvailability, views::Availability};
use crate::payment::gateway::Breaking;
use crate::payment::reconciling::ReconciliationService;
use crate::payment::{
    self, ChargeCard, Payment, PaymentGateway, RefundCard, StopCharging, Till, views::PaymentList,
};
use crate::quota::Quota;
use crate::reservation::{
    self, OwnReservations, Reservation, views::ReservationList, views::SalesList, views::TicketList,
};
use crate::show::{self, Show, views::ShowList};
use crate::storefront::{self, Counter, ErrorPages};
use composable_rust::prelude::*;
use composable_rust::runtime::{BoxError, SystemClock};
use composable_rust::web::{OpenApi, Topics, web_socket};
use std::sync::Arc;
use std::time::Duration;

/// What the operator's choices come to; a test makes its own.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Who moves the money.
    pub gateway: Arc<dyn PaymentGateway>,
    /// Who people are.
    pub sessions: Sessions,
    /// How long places are held for an order that nobody pays.
    pub hold: Duration,
    /// How long a payment that was started keeps its places.
    pub payment: Duration,
}

/// What decides, what happens next and what is shown.
pub fn domain(gateway: &Arc<dyn PaymentGateway>) -> ApplicationBuilder {
    Application::builder("ticketing")
        .decider::<Account>()
        .decider::<Show>()
        .decider::<Inventory>()
        .decider::<Quota>()
        .decider::<Reservation>()
        .decider::<Payment>()
        .process::<Checkout>()
        .process::<Refunding>()
        .process::<Cancelling>()
        .activity(ChargeCard(Arc::clone(gateway)))
        .activity(StopCharging(Arc::clone(gateway)))
        .activity(RefundCard(Arc::clone(gateway)))
        .activity_reading(FindOrders)
        .projection(ShowList)
        .projection(Availability)
        .projection(ReservationList)
        .projection(TicketList)
        .projection(SalesList)
        .projection(PaymentList)
}

/// The domain behind HTTP; where its data is kept and where it listens is left to say.
pub fn assembled(parts: Parts) -> ApplicationBuilder {
    let Parts { gateway, sessions, hold, payment } = parts;
    let till = Till { guarantee: payment, gateway: Arc::clone(&gateway) };
    let mut application = domain(&gateway);
    application.service_mut::<ReconciliationService>().gateway = Some(Arc::clone(&gateway));
    application
        .authenticator(sessions.clone())
        .problem_pages(ErrorPages)
        .routes(account::routes(sessions.clone()))
        .routes(show::routes())
        .routes(inventory::routes())
        .routes(reservation::routes(hold, gateway))
        .routes(payment::routes(till.clone()))
        .routes(payment::reconciling::routes())
        .routes(web_socket("/ws", Topics::new().with(LiveAvailability).with(OwnReservations)))
        .openapi(api())
        .routes(storefront::routes(Counter { sessions, hold, till }))
}

/// What the API is called, with an example of each operation that a test records.
fn api() -> OpenApi {
    OpenApi::new("Ticketing", env!("CARGO_PKG_VERSION"), "Sells tickets without ever overselling.")
        .examples(include_str!("examples.json"))
}

/// The whole application, as the operator wants it. From now on its database is this process's alone.
///
/// # Errors
/// When the database can be no file or another process has it, or the development gateway's books or the session
/// secret cannot be opened.
pub fn ticketing(config: &Config) -> Result<ApplicationBuilder, BoxError> {
    // The gateway's books and the secret stand beside the database and belong to whoever has it.
    let storage = config.storage().claim()?;
    let parts = Parts {
        gateway: Arc::new(Breaking::new(Arc::new(Config::gateway(storage.path())?), Arc::new(SystemClock))),
        sessions: Sessions::new(config.secret(storage.path())?, config.admin_email.clone()),
        hold: config.hold,
        payment: config.payment,
    };
    Ok(assembled(parts).storage(storage).http(config.http()))
}
