//! A rush on one stream: several hundred callers reserve places of one section.

use super::bare::{Bare, ROWS};
use super::{Folder, seed};
use crate::domain::{Inventory, InventoryCommand};
use crate::measure::{Case, Line, Stopwatch, compare};
use crate::{Outcome, Settings};
use composable_rust::prelude::*;
use composable_rust::runtime::live_environment;
use tokio::task::JoinSet;

pub(crate) const NAME: &str = "reservations of one section, 512 callers";

const CALLERS: usize = 512;
const RESERVATIONS: usize = 40;

pub(crate) async fn measure(settings: &Settings) -> Outcome<Vec<Line>> {
    let folder = Folder::new(settings)?;
    let app =
        Application::builder("benches").storage(Sqlite::file(folder.file("ours.db"))).decider::<Inventory>();
    let app = app.start().await?;
    app.execute("sample", InventoryCommand::Open { capacity: 1 }).await?;
    app.execute("sample", reserve()).await?;
    let sample = seed::sample(app.storage(), &StreamId::new("inventory", "sample")?).await?;
    let mut bare = Bare::create(&folder.file("bare.db")).await?;
    let mut show = 0;
    let ours = async || {
        show += 1;
        let section = format!("section-{show}");
        app.execute(section.clone(), InventoryCommand::Open { capacity: 1_000_000 }).await?;
        let watch = Stopwatch::start();
        rush(&app, &section).await?;
        Ok(watch.rate(CALLERS * RESERVATIONS))
    };
    let reference = async || {
        let watch = Stopwatch::start();
        bare.insert(&sample, CALLERS * RESERVATIONS).await?;
        Ok(watch.rate((CALLERS * RESERVATIONS).next_multiple_of(ROWS)))
    };
    let case =
        Case { name: NAME, unit: "reservations/s", reference_name: "bare sqlx, 64 rows a durable statement" };
    let lines = compare(case, settings, ours, reference).await?;
    app.shutdown().await?;
    bare.close().await?;
    Ok(lines)
}

async fn rush(app: &Application, section: &str) -> Outcome<()> {
    let mut callers: JoinSet<Outcome<()>> = JoinSet::new();
    for _ in 0..CALLERS {
        let (app, section) = (app.clone(), section.to_owned());
        callers.spawn(async move {
            for _ in 0..RESERVATIONS {
                app.execute(section.clone(), reserve()).acknowledged().await?;
            }
            Ok(())
        });
    }
    while let Some(done) = callers.join_next().await {
        done??;
    }
    Ok(())
}

fn reserve() -> InventoryCommand {
    let environment = live_environment();
    InventoryCommand::Reserve { reservation: environment.new_id(), places: 1, until: environment.now() }
}
