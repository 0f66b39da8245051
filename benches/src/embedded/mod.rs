//! The suite `embedded`: the framework on one SQLite file.

mod appends;
mod bare;
mod catch_up;
mod load;
mod rush;
mod seed;
mod send;
mod timers;
mod visible;

use crate::measure::Line;
use crate::report::announce;
use crate::{Outcome, Settings};
use std::path::PathBuf;
use tempfile::TempDir;

const NAMES: [&str; 10] = [
    send::NAME,
    appends::NAME,
    appends::RAW_NAME,
    load::NAME,
    catch_up::NAME,
    catch_up::WIDE_NAME,
    rush::PLACES,
    rush::ORDERS,
    visible::NAME,
    timers::NAME,
];

/// Measures every case asked for.
pub(crate) async fn run(settings: &Settings) -> Outcome<Vec<Line>> {
    let mut lines = Vec::new();
    let only = settings.output.only.as_deref().unwrap_or_default();
    if !NAMES.iter().any(|name| name.contains(only)) {
        return Err(format!("no case has {only:?} in its name; there are:\n  {}", NAMES.join("\n  ")).into());
    }
    for name in NAMES.into_iter().filter(|name| name.contains(only)) {
        announce(name)?;
        lines.extend(match name {
            send::NAME => send::measure(settings).await?,
            appends::NAME => appends::measure(settings).await?,
            appends::RAW_NAME => appends::measure_raw(settings).await?,
            load::NAME => load::measure(settings).await?,
            catch_up::NAME => catch_up::measure(settings).await?,
            catch_up::WIDE_NAME => catch_up::measure_wide(settings).await?,
            rush::PLACES => rush::places(settings).await?,
            rush::ORDERS => rush::orders(settings).await?,
            visible::NAME => visible::measure(settings).await?,
            _ => timers::measure(settings).await?,
        });
    }
    Ok(lines)
}

/// A folder for one case, removed after it.
struct Folder(TempDir);

impl Folder {
    fn new(settings: &Settings) -> Outcome<Self> {
        let folder = match &settings.folder {
            Some(parent) => TempDir::new_in(parent),
            None => TempDir::new(),
        };
        Ok(Self(folder?))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}
