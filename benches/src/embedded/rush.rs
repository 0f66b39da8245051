//! A rush on one section of the ticketing application, through its commands and without HTTP: places alone, and whole
//! orders (order, places and quota in one append) while its process and all its projections follow.

use super::bare::{Bare, ROWS};
use super::{Folder, seed};
use crate::measure::{Case, Line, Stopwatch, compare};
use crate::{Outcome, Settings};
use composable_rust::prelude::*;
use composable_rust::runtime::live_environment;
use composable_rust::{Environment, later};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use ticketing::inventory::InventoryCommand;
use ticketing::payment::PaymentGateway;
use ticketing::payment::gateway::{Ledger, SimulatedGateway};
use ticketing::quota::QuotaCommand;
use ticketing::reservation::{Order, ReservationCommand};
use ticketing::shared::{self, Currency, Money, Places, QuotaId, ReservationId, SectionId, ShowId, TierId};
use tokio::task::JoinSet;

pub(crate) const PLACES: &str = "ticketing: places of one section, 512 callers";
pub(crate) const ORDERS: &str = "ticketing: whole orders of one section, 512 callers";

const CALLERS: usize = 512;
const HOUR: Duration = Duration::from_hours(1);

pub(crate) async fn places(settings: &Settings) -> Outcome<Vec<Line>> {
    measure(PLACES, 40, settings, |app: Application, section| async move {
        let reservation = ReservationId::from(app.environment().new_id());
        app.execute(section, InventoryCommand::Hold { reservation, places: one() }).acknowledged().await?;
        Ok(())
    })
    .await
}

pub(crate) async fn orders(settings: &Settings) -> Outcome<Vec<Line>> {
    measure(ORDERS, 10, settings, |app: Application, section| async move {
        let order = order(app.environment(), section);
        let reservation = ReservationId::from(app.environment().new_id());
        let quota = QuotaId::of(order.show, order.customer);
        app.execute_all((
            on(reservation, ReservationCommand::Place(order)),
            vec![on(section, InventoryCommand::Hold { reservation, places: one() })],
            on(quota, QuotaCommand::Take { reservation, quantity: 1, limit: Some(4) }),
        ))
        .await?;
        Ok(())
    })
    .await
}

/// Each round rushes on a new section; each caller asks `each` times.
async fn measure<F>(
    name: &'static str,
    each: usize,
    settings: &Settings,
    ask: impl Fn(Application, SectionId) -> F + Copy + Send + 'static,
) -> Outcome<Vec<Line>>
where
    F: Future<Output = Outcome<()>> + Send + 'static,
{
    let folder = Folder::new(settings)?;
    let app = start(&folder.file("ours.db")).await?;
    let sampled = open_section(&app).await?;
    ask(app.clone(), sampled).await?;
    let sample = seed::sample(app.storage(), &StreamId::new("inventory", &sampled.to_string())?).await?;
    let mut bare = Bare::create(&folder.file("bare.db")).await?;
    let ours = async || {
        let section = open_section(&app).await?;
        let watch = Stopwatch::start();
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            let app = app.clone();
            callers.spawn(async move {
                for _ in 0..each {
                    ask(app.clone(), section).await?;
                }
                Outcome::Ok(())
            });
        }
        while let Some(done) = callers.join_next().await {
            done??;
        }
        Ok(watch.rate(CALLERS * each))
    };
    let reference = async || {
        let watch = Stopwatch::start();
        bare.insert(&sample, CALLERS * each).await?;
        Ok(watch.rate((CALLERS * each).next_multiple_of(ROWS)))
    };
    let case =
        Case { name, unit: "reservations/s", reference_name: "bare sqlx, 64 rows a durable statement" };
    let lines = compare(case, settings, ours, reference).await?;
    app.shutdown().await?;
    bare.close().await?;
    Ok(lines)
}

/// The application as it is, without HTTP.
async fn start(file: &Path) -> Outcome<Application> {
    let gateway = SimulatedGateway::new(Ledger::in_memory(), live_environment().clock);
    let gateway: Arc<dyn PaymentGateway> = Arc::new(gateway);
    Ok(ticketing::domain(&gateway).storage(Sqlite::file(file)).start().await?)
}

async fn open_section(app: &Application) -> Outcome<SectionId> {
    let section = SectionId::from(app.environment().new_id());
    let show = ShowId::from(app.environment().new_id());
    app.execute(section, InventoryCommand::Initialise { show, capacity: 1_000_000, rows: Vec::new() })
        .await?;
    app.execute(section, InventoryCommand::OpenSales).await?;
    Ok(section)
}

/// One place, whichever it is.
fn one() -> Places {
    Places { quantity: 1, seats: Vec::new() }
}

/// An order of a customer who buys for the first time.
fn order(environment: &Environment, section: SectionId) -> Order {
    let price = Money::new(2_500, Currency::EUR);
    let line = shared::Line {
        section_id: section,
        section: "Floor".to_owned(),
        tier_id: TierId::from(environment.new_id()),
        tier: "Regular".to_owned(),
        quantity: 1,
        price,
        seats: Vec::new(),
    };
    Order {
        show: ShowId::from(environment.new_id()),
        customer: UserId::from_uuid(environment.new_id()),
        lines: vec![line],
        total: price,
        until: later(environment.now(), HOUR),
    }
}
