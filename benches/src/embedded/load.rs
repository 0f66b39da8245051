//! Loading streams of 1,000 events into state, one after the other.

use super::bare::Bare;
use super::{Folder, seed};
use crate::domain::Account;
use crate::measure::{Case, Line, Stopwatch, compare};
use crate::{Outcome, Settings};
use composable_rust::prelude::*;

pub(crate) const NAME: &str = "load streams of 1,000 events";

const STREAMS: usize = 100;
const EVENTS: usize = 1_000;

pub(crate) async fn measure(settings: &Settings) -> Outcome<Vec<Line>> {
    let folder = Folder::new(settings)?;
    let path = folder.file("ours.db");
    seed::accounts(&path, STREAMS, EVENTS).await?;
    std::fs::copy(&path, folder.file("bare.db"))?;
    let app =
        Application::builder("benches").storage(Sqlite::file(&path)).decider::<Account>().start().await?;
    caught_up(&app).await;
    let mut bare = Bare::open(&folder.file("bare.db")).await?;
    let ours = async || {
        let watch = Stopwatch::start();
        for number in 0..STREAMS {
            let loaded = app.load::<Account>(&seed::key(number)).await?;
            check(loaded.map_or(0, |account| account.state.count))?;
        }
        Ok(watch.rate(STREAMS * EVENTS))
    };
    let reference = async || {
        let watch = Stopwatch::start();
        for number in 0..STREAMS {
            check(bare.stream(&format!("account/{}", seed::key(number))).await?.len() as u64)?;
        }
        Ok(watch.rate(STREAMS * EVENTS))
    };
    let case = Case { name: NAME, unit: "events/s", reference_name: "bare sqlx fetch of the same rows" };
    let lines = compare(case, settings, ours, reference).await?;
    app.shutdown().await?;
    bare.close().await?;
    Ok(lines)
}

/// Waits until the relay has published what was seeded, which is not what is measured.
async fn caught_up(app: &Application) {
    let horizon = app.events().signal().position();
    while app.progress().iter().any(|progress| progress.position < horizon) {
        tokio::task::yield_now().await;
    }
}

fn check(count: u64) -> Outcome<()> {
    if count == EVENTS as u64 { Ok(()) } else { Err(format!("{count} events were loaded").into()) }
}
