//! A table for people, JSON lines for programs.

use crate::measure::Line;
use crate::{Outcome, Output};
use std::error::Error;
use std::fmt::Write as _;
use std::io::{Write as _, stdout};

/// Makes sure, before anything is measured, that the results can be written where they are asked for.
pub(crate) fn check(output: &Output) -> Outcome<()> {
    if let Some(path) = &output.json {
        let opened = std::fs::File::options().append(true).create(true).open(path);
        opened.map_err(|error| format!("--json {}: {error}", path.display()))?;
    }
    Ok(())
}

/// Says on standard error why there are no results.
pub(crate) fn failed(failure: &(dyn Error + Send + Sync + 'static)) {
    // There is nobody else to tell.
    _ = writeln!(std::io::stderr(), "{failure}");
}

/// Prints all lines, and writes them to the file asked for.
pub(crate) fn finish(lines: &[Line], output: &Output) -> Outcome<()> {
    stdout().write_all(table(lines).as_bytes())?;
    if let Some(path) = &output.json {
        let lines: Result<Vec<_>, _> = lines.iter().map(serde_json::to_string).collect();
        std::fs::write(path, lines?.join("\n") + "\n")?;
    }
    Ok(())
}

/// Says on standard error what is being measured.
pub(crate) fn announce(name: &str) -> Outcome<()> {
    Ok(writeln!(std::io::stderr(), "measuring {name} …")?)
}

fn table(lines: &[Line]) -> String {
    let mut text = String::from(
        "| case | ours | reference | unit | ratio | reference is |\n|---|--:|--:|---|--:|---|\n",
    );
    for line in lines {
        let Line { case, unit, ratio, reference_name, .. } = line;
        let (ours, reference) = (shown(line.ours), shown(line.reference));
        // Writing to a String cannot fail.
        _ = writeln!(text, "| {case} | {ours} | {reference} | {unit} | {ratio:.2} | {reference_name} |");
    }
    text
}

/// Three significant digits are all that a shared machine gives.
fn shown(number: f64) -> String {
    if number >= 1_000.0 {
        format!("{number:.0}")
    } else if number >= 10.0 {
        format!("{number:.1}")
    } else {
        format!("{number:.3}")
    }
}
