//! From a committed append to a view that shows it, under a light load.

use super::bare::Bare;
use super::{Folder, seed};
use crate::domain::{Account, AccountCommand, Balances};
use crate::measure::{Case, Line, Stopwatch, compare_all, number};
use crate::{Outcome, Settings};
use composable_rust::prelude::*;
use std::time::Duration;

pub(crate) const NAME: &str = "append to view visible";

/// Commands of one round, given at a steady pace.
const COMMANDS: usize = 500;
const PACE: Duration = Duration::from_millis(4);

pub(crate) async fn measure(settings: &Settings) -> Outcome<Vec<Line>> {
    let folder = Folder::new(settings)?;
    let app = Application::builder("benches").storage(Sqlite::file(folder.file("ours.db")));
    let app = app.decider::<Account>().projection(Balances).start().await?;
    let mut bare = Bare::create(&folder.file("bare.db")).await?;
    sqlx::raw_sql("CREATE TABLE by_hand (key TEXT PRIMARY KEY, sum INTEGER)")
        .execute(&mut bare.connection)
        .await?;
    let ours = async || {
        let mut times = Vec::with_capacity(COMMANDS);
        let mut pace = tokio::time::interval(PACE);
        for number in 0..COMMANDS {
            pace.tick().await;
            let key = seed::key(number % 50);
            let receipt = app.execute(key.clone(), AccountCommand::of(1)).await?;
            let watch = Stopwatch::start();
            let row = app.view::<Balances>().at_least_position(receipt.position).get(&key).await?;
            times.push(watch.elapsed());
            if row.is_none_or(|row| row.count < receipt.state.count) {
                return Err("the view shows less than the position promised".into());
            }
        }
        Ok(percentiles(times))
    };
    let reference = async || {
        let mut times = Vec::with_capacity(COMMANDS);
        let mut pace = tokio::time::interval(PACE);
        for number in 0..COMMANDS {
            pace.tick().await;
            let key = seed::key(number % 50);
            let watch = Stopwatch::start();
            let upsert = "INSERT INTO by_hand VALUES (?, 1) ON CONFLICT DO UPDATE SET sum = sum + 1";
            sqlx::query(upsert).bind(&key).execute(&mut bare.connection).await?;
            let read = sqlx::query("SELECT sum FROM by_hand WHERE key = ?").bind(&key);
            read.fetch_one(&mut bare.connection).await?;
            times.push(watch.elapsed());
        }
        Ok(percentiles(times))
    };
    let reference_name = "a durable upsert and a read, bare sqlx";
    let cases = [
        Case { name: "append to view visible, p50", unit: "ms", reference_name },
        Case { name: "append to view visible, p99", unit: "ms", reference_name },
    ];
    let lines = compare_all(&cases, settings, ours, reference).await?;
    app.shutdown().await?;
    bare.close().await?;
    Ok(lines)
}

/// The median and the 99th percentile in milliseconds.
fn percentiles(mut times: Vec<Duration>) -> Vec<f64> {
    times.sort_unstable();
    let at = |share: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place in a short list"
        )]
        let place = (number(times.len()) * share) as usize;
        times.get(place).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
    };
    vec![at(0.50), at(0.99)]
}
