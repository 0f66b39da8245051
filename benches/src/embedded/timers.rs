//! How late timers fire while a hundred thousand are pending: from the due time to the committed step of the process.

use super::Folder;
use super::bare::Bare;
use crate::alarms::{Alarm, AlarmCommand, Alarms, lateness};
use crate::measure::{Case, Line, compare_all, number};
use crate::{Outcome, Output, Settings};
use composable_rust::Position;
use composable_rust::prelude::*;
use composable_rust::runtime::live_environment;
use jiff::Timestamp;
use sqlx::Row as _;
use std::path::Path;
use std::time::Duration;

pub(crate) const NAME: &str = "100,000 timers";

/// Instances of the process.
const ALARMS: u32 = 1_000;
/// Timers of each that fall due while it is measured: 2,000 a second in all.
const DUE: u32 = 20;
/// Timers of each that are due in an hour.
const LATER: u32 = 80;
/// How long the measured ones are apart.
const APART: Duration = Duration::from_micros(500);
/// From the first command to the first due time.
const SETTING: Duration = Duration::from_secs(15);

pub(crate) async fn measure(settings: &Settings) -> Outcome<Vec<Line>> {
    let reference_name = "the same rows polled, deleted and noted in durable batches by bare sqlx";
    let cases = [
        Case { name: "100,000 timers, lateness p50", unit: "ms", reference_name },
        Case { name: "100,000 timers, lateness p99", unit: "ms", reference_name },
        Case { name: "100,000 timers, lateness max", unit: "ms", reference_name },
    ];
    let folder = Folder::new(settings)?;
    // A round takes half a minute.
    let settings = Settings {
        output: Output { json: None, only: None },
        rounds: settings.rounds.min(1),
        folder: None,
        ours_only: settings.ours_only,
    };
    let mut round = 0;
    let ours = async || {
        round += 1;
        by_process(&folder.file(&format!("ours{round}.db"))).await
    };
    let mut bare_round = 0;
    let reference = async || {
        bare_round += 1;
        by_hand(&folder.file(&format!("bare{bare_round}.db"))).await
    };
    compare_all(&cases, &settings, ours, reference).await
}

/// When the timers of alarm `key` are due.
fn due_times(first: Timestamp, key: u32) -> Outcome<Vec<Timestamp>> {
    let mut times = Vec::new();
    for place in 0..DUE {
        times.push(first.checked_add(APART * (place * ALARMS + key))?);
    }
    for place in 0..LATER {
        times.push(first.checked_add(Duration::from_hours(1) + APART * (place * ALARMS + key))?);
    }
    Ok(times)
}

async fn by_process(path: &Path) -> Outcome<Vec<f64>> {
    let app = Application::builder("benches").storage(Sqlite::file(path));
    let app = app.decider::<Alarm>().process::<Alarms>().start().await?;
    let first = app.environment().now().checked_add(SETTING)?;
    let mut asking = tokio::task::JoinSet::new();
    for key in 0..ALARMS {
        let (app, due) = (app.clone(), due_times(first, key)?);
        asking.spawn(async move { app.execute(key.to_string(), AlarmCommand::Ask { due }).await.map(drop) });
    }
    for asked in asking.join_all().await {
        asked?;
    }
    // Each event and each step has a position of its own.
    let signal = app.events().signal();
    signal.reached(Position::from(2 * ALARMS)).await;
    if app.environment().now() >= first {
        return Err("setting the timers took too long".into());
    }
    let last = Position::from((2 + DUE) * ALARMS);
    tokio::time::timeout(Duration::from_mins(2), signal.reached(last)).await?;
    let late = lateness(&app, Position::from(2 * ALARMS)).await?;
    app.shutdown().await?;
    Ok(percentiles(late))
}

async fn by_hand(path: &Path) -> Outcome<Vec<f64>> {
    const BATCH: i64 = 256;
    let clock = live_environment();
    let mut bare = Bare::create(path).await?;
    let setup = "CREATE TABLE by_hand (id INTEGER PRIMARY KEY, due INTEGER NOT NULL, payload TEXT NOT NULL);
                 CREATE INDEX by_hand_due ON by_hand (due, id); CREATE TABLE rung (id INTEGER PRIMARY KEY, due)";
    sqlx::raw_sql(setup).execute(&mut bare.connection).await?;
    let first = clock.now().checked_add(Duration::from_secs(2))?;
    let mut due = Vec::new();
    for key in 0..ALARMS {
        due.extend(due_times(first, key)?.into_iter().map(Timestamp::as_microsecond));
    }
    let text = serde_json::to_string(&due)?;
    let fill = "INSERT INTO by_hand (due, payload) SELECT value, printf('%300s', '') FROM json_each(?)";
    sqlx::query(fill).bind(text).execute(&mut bare.connection).await?;
    let mut late = Vec::new();
    let mut pace = tokio::time::interval(Duration::from_millis(1));
    while late.len() < (DUE * ALARMS) as usize {
        let now = clock.now().as_microsecond();
        let rows = sqlx::query(
            "BEGIN IMMEDIATE;
             INSERT INTO rung SELECT id, due FROM by_hand WHERE due <= ?1 ORDER BY due LIMIT ?2;
             DELETE FROM by_hand WHERE id IN (SELECT id FROM by_hand WHERE due <= ?1 ORDER BY due LIMIT ?2)
                 RETURNING due;
             COMMIT",
        );
        let rows = rows.bind(now).bind(BATCH).bind(now).bind(BATCH).fetch_all(&mut bare.connection).await?;
        let done = clock.now().as_microsecond();
        for row in &rows {
            let due: i64 = row.try_get(0)?;
            late.push(Duration::from_micros(u64::try_from(done - due)?).as_secs_f64() * 1e3);
        }
        if rows.is_empty() {
            pace.tick().await;
        }
    }
    bare.close().await?;
    Ok(percentiles(late))
}

/// The median, the 99th percentile and the largest.
fn percentiles(mut late: Vec<f64>) -> Vec<f64> {
    late.sort_unstable_by(f64::total_cmp);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
    let at = |share: f64| late.get((number(late.len().saturating_sub(1)) * share) as usize).copied();
    [0.5, 0.99, 1.0].map(|share| at(share).unwrap_or(f64::NAN)).to_vec()
}
