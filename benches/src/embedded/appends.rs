//! Durable appends from 64 writers to different streams: the whole command path, and the event store alone.

use super::bare::{Bare, ROWS};
use super::{Folder, seed};
use crate::domain::{Account, AccountCommand};
use crate::measure::{Case, Line, Stopwatch, compare};
use crate::{Outcome, Settings};
use composable_rust::port::Append;
use composable_rust::prelude::*;
use tokio::task::JoinSet;

pub(crate) const NAME: &str = "durable commands, 64 writers";
pub(crate) const RAW_NAME: &str = "durable appends, event store, 64 a batch";

const WRITERS: usize = 64;
const COMMANDS: u32 = 300;
const REFERENCE: &str = "bare sqlx, 64 rows a durable statement";

pub(crate) async fn measure(settings: &Settings) -> Outcome<Vec<Line>> {
    let folder = Folder::new(settings)?;
    let app =
        Application::builder("benches").storage(Sqlite::file(folder.file("ours.db"))).decider::<Account>();
    let app = app.start().await?;
    write(&app, 1).await?;
    let sample = seed::sample(app.storage(), &StreamId::new("account", &seed::key(0))?).await?;
    let mut bare = Bare::create(&folder.file("bare.db")).await?;
    let ours = async || {
        let watch = Stopwatch::start();
        write(&app, COMMANDS).await?;
        Ok(watch.rate(WRITERS * COMMANDS as usize))
    };
    let reference = async || {
        let watch = Stopwatch::start();
        bare.insert(&sample, WRITERS * COMMANDS as usize).await?;
        Ok(watch.rate(WRITERS * COMMANDS as usize))
    };
    let case = Case { name: NAME, unit: "events/s", reference_name: REFERENCE };
    let lines = compare(case, settings, ours, reference).await?;
    app.shutdown().await?;
    bare.close().await?;
    Ok(lines)
}

/// Each writer carries out `commands` on a stream of its own.
async fn write(app: &Application, commands: u32) -> Outcome<()> {
    let mut writers: JoinSet<Outcome<()>> = JoinSet::new();
    for writer in 0..WRITERS {
        let app = app.clone();
        writers.spawn(async move {
            for amount in 0..commands {
                app.execute(seed::key(writer), AccountCommand::of(amount)).acknowledged().await?;
            }
            Ok(())
        });
    }
    while let Some(written) = writers.join_next().await {
        written??;
    }
    Ok(())
}

pub(crate) async fn measure_raw(settings: &Settings) -> Outcome<Vec<Line>> {
    const BATCHES: usize = 300;
    let folder = Folder::new(settings)?;
    let storage = seed::open(&folder.file("ours.db")).await?;
    let streams: Result<Vec<_>, _> =
        (0..ROWS).map(|number| StreamId::new("account", &seed::key(number))).collect();
    let streams = streams?;
    let event = seed::event(1)?;
    let mut bare = Bare::create(&folder.file("bare.db")).await?;
    let mut sample = None;
    let ours = async || {
        let watch = Stopwatch::start();
        for _ in 0..BATCHES {
            let append =
                |stream: &StreamId| Append::to(stream.clone(), ExpectedVersion::Any, vec![event.clone()]);
            for result in storage.events.append_batch(streams.iter().map(append).collect()).await? {
                result?;
            }
        }
        Ok(watch.rate(BATCHES * ROWS))
    };
    let reference = async || {
        if sample.is_none() {
            sample = Some(seed::sample(&storage, &StreamId::new("account", &seed::key(0))?).await?);
        }
        let Some(sample) = &sample else { return Ok(Vec::new()) };
        let watch = Stopwatch::start();
        bare.insert(sample, BATCHES * ROWS).await?;
        Ok(watch.rate(BATCHES * ROWS))
    };
    let case = Case { name: RAW_NAME, unit: "events/s", reference_name: REFERENCE };
    let lines = compare(case, settings, ours, reference).await?;
    (storage.close)().await;
    bare.close().await?;
    Ok(lines)
}
