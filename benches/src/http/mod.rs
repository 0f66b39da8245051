//! The suite `http`: the real ticketing program, as an operator starts it, under load over sockets.
//!
//! Client and server share the machine's cores, so what is told of the server is less than it can do alone.

mod bare;
mod client;
mod flow;
mod plot;
mod program;
mod reads;
mod rush;
mod samples;
mod scene;
mod shop;
mod users;

pub(crate) use bare::serve;

use crate::measure::Line;
use crate::report::announce;
use crate::{Http, Outcome};
use plot::Drawn;
use std::path::Path;

const NAMES: [&str; 5] = [rush::NAME, flow::NAME, reads::READS, reads::MIX, users::NAME];

/// Runs every scenario asked for, each on a program and a file of its own.
///
/// # Errors
/// When one cannot be run, or the books do not agree with what people were told.
pub(crate) async fn run(settings: &Http) -> Outcome<Vec<Line>> {
    let only = settings.output.only.as_deref().unwrap_or_default();
    let names: Vec<_> = NAMES.into_iter().filter(|name| name.contains(only)).collect();
    if names.is_empty() {
        return Err(
            format!("no scenario has {only:?} in its name; there are:\n  {}", NAMES.join("\n  ")).into()
        );
    }
    if settings.plot.is_some() && ![rush::NAME, users::NAME].iter().any(|name| names.contains(name)) {
        return Err(format!(
            "--plot draws {:?} and {:?}: let one of them be measured",
            rush::NAME,
            users::NAME
        )
        .into());
    }
    let built = settings.binary.is_none().then(program::built).transpose()?;
    let binary = settings.binary.as_deref().or(built.as_deref()).unwrap_or(Path::new(""));
    let (mut lines, mut drawn) = (Vec::new(), Drawn::default());
    for name in names {
        announce(name)?;
        lines.extend(match name {
            rush::NAME => {
                let (lines, samples) = rush::measure(settings, binary).await?;
                drawn.rush = samples;
                lines
            }
            flow::NAME => flow::measure(settings, binary).await?,
            reads::READS => reads::measure(settings, binary).await?,
            reads::MIX => reads::mix(settings, binary).await?,
            _ => {
                let (lines, memory) = users::measure(settings, binary).await?;
                drawn.memory = memory;
                lines
            }
        });
    }
    if let Some(path) = &settings.plot {
        drawn.write(path)?;
    }
    Ok(lines)
}
