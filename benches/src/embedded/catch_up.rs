//! A projection that catches up with a log, against the same fold written by hand.

use super::bare::Bare;
use super::{Folder, seed};
use crate::domain::Balances;
use crate::measure::{Case, Line, Stopwatch, compare};
use crate::{Outcome, Settings};
use composable_rust::projections::{Dependencies, ProjectionOptions, ProjectionRunner};
use composable_rust::runtime::live_environment;
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, Row as _};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub(crate) const NAME: &str = "projection catch-up, 300,000 events";
pub(crate) const WIDE_NAME: &str = "projection catch-up, 100,000 events of 50,000 rows";

/// Few rows, changed by many events each.
pub(crate) async fn measure(settings: &Settings) -> Outcome<Vec<Line>> {
    of(NAME, (1_000, 300), settings).await
}

/// Many rows, of which each is written about as often as there are events.
pub(crate) async fn measure_wide(settings: &Settings) -> Outcome<Vec<Line>> {
    of(WIDE_NAME, (50_000, 2), settings).await
}

async fn of(
    name: &'static str,
    (streams, events): (usize, usize),
    settings: &Settings,
) -> Outcome<Vec<Line>> {
    let folder = Folder::new(settings)?;
    let log = folder.file("log.db");
    seed::accounts(&log, streams, events).await?;
    let fresh = |name: &str| -> Outcome<_> {
        let path = folder.file(name);
        std::fs::copy(&log, &path)?;
        Ok(path)
    };
    let ours = async || by_engine(&fresh("ours.db")?, streams * events).await;
    let reference = async || by_hand(&fresh("bare.db")?).await;
    let case = Case { name, unit: "events/s", reference_name: "the same fold by hand on bare sqlx" };
    compare(case, settings, ours, reference).await
}

async fn by_engine(path: &Path, events: usize) -> Outcome<Vec<f64>> {
    let environment = live_environment();
    let storage = seed::open(path).await?;
    let horizon = storage.events.signal().position();
    let deps = Dependencies { storage: storage.clone(), environment, holder: "benches".to_owned() };
    let runner = ProjectionRunner::new(Balances, deps, ProjectionOptions::default());
    let view = runner.view();
    let shutdown = CancellationToken::new();
    let watch = Stopwatch::start();
    let work = async {
        view.wait_for(horizon, Duration::from_mins(5)).await?;
        let rate = watch.rate(events);
        shutdown.cancel();
        Ok::<_, crate::Failure>(rate)
    };
    let (ran, rate) = tokio::join!(runner.run(&shutdown), work);
    ran?;
    (storage.close)().await;
    rate
}

#[derive(Debug, Deserialize)]
struct Noted {
    amount: u32,
}

#[derive(Debug, Default, Serialize)]
struct Balance {
    account: String,
    count: u64,
    sum: u64,
}

async fn by_hand(path: &Path) -> Outcome<Vec<f64>> {
    const BATCH: i64 = 2_000;
    let mut bare = Bare::open(path).await?;
    let watch = Stopwatch::start();
    let create = "CREATE TABLE by_hand (key TEXT PRIMARY KEY, body BLOB NOT NULL, i_sum);
                  CREATE INDEX by_hand_sum ON by_hand (i_sum, key)";
    sqlx::raw_sql(create).execute(&mut bare.connection).await?;
    let (mut position, mut count) = (0_i64, 0);
    let mut balances = BTreeMap::<String, Balance>::new();
    loop {
        let page = sqlx::query(
            "SELECT e.position, e.payload, s.name FROM events e CROSS JOIN streams s ON s.id = e.stream_id
             WHERE e.position > ? AND s.category = 'account' ORDER BY e.position LIMIT ?",
        );
        let page = page.bind(position).bind(BATCH).fetch_all(&mut bare.connection).await?;
        let Some(last) = page.last() else { break };
        position = last.try_get(0)?;
        count += page.len();
        let mut touched = BTreeSet::new();
        for row in &page {
            let noted: Noted = serde_json::from_slice(row.try_get(1)?)?;
            let name: &str = row.try_get(2)?;
            let account = name.trim_start_matches("account/").to_owned();
            let balance = balances.entry(account.clone()).or_default();
            balance.count += 1;
            balance.sum += u64::from(noted.amount);
            balance.account.clone_from(&account);
            touched.insert(account);
        }
        write(&mut bare, &touched, &balances, position).await?;
    }
    let rate = watch.rate(count);
    bare.close().await?;
    Ok(rate)
}

async fn write(
    bare: &mut Bare,
    touched: &BTreeSet<String>,
    balances: &BTreeMap<String, Balance>,
    position: i64,
) -> Outcome<()> {
    const ROWS: usize = 200;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut bare.connection).await?;
    let touched: Vec<&Balance> = touched.iter().filter_map(|account| balances.get(account)).collect();
    for part in touched.chunks(ROWS) {
        let rows = vec!["(?, ?, ?)"; part.len()].join(",");
        let text = format!(
            "INSERT INTO by_hand (key, body, i_sum) VALUES {rows}
             ON CONFLICT DO UPDATE SET body = excluded.body, i_sum = excluded.i_sum"
        );
        let mut statement = sqlx::query(AssertSqlSafe(text));
        for balance in part {
            statement = statement
                .bind(balance.account.as_str())
                .bind(serde_json::to_vec(balance)?)
                .bind(i64::try_from(balance.sum)?);
        }
        statement.execute(&mut bare.connection).await?;
    }
    sqlx::query(
        "INSERT OR REPLACE INTO checkpoints (subscription, position, fence) VALUES ('by hand', ?, 1); COMMIT",
    )
    .bind(position)
    .execute(&mut bare.connection)
    .await?;
    Ok(())
}
