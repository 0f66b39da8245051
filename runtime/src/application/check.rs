//! The check of the whole before anything starts: all findings at once, each with the line to write.

use super::entries::Reader;
use super::{ApplicationBuilder, Finding, limits};
use composable_rust_core::{MAX_CATEGORY_BYTES, StreamId};
use std::collections::{BTreeMap, BTreeSet};

/// Longest name of a read model.
const MAX_READ_MODEL_NAME: usize = 48;

/// Every fault of the declaration.
pub(super) fn findings(builder: &ApplicationBuilder) -> Vec<Finding> {
    let mut findings = Vec::new();
    storage(builder, &mut findings);
    deciders(builder, &mut findings);
    event_types(builder, &mut findings);
    processes(builder, &mut findings);
    activities(builder, &mut findings);
    projections(builder, &mut findings);
    missing(builder, &mut findings);
    events_read(builder, &mut findings);
    name(builder, &mut findings);
    limits::check(&builder.options, &mut findings);
    findings.extend(builder.services.iter().flat_map(|service| service.check()));
    findings
}

fn storage(builder: &ApplicationBuilder, findings: &mut Vec<Finding>) {
    match builder.storage.len() {
        0 => findings.push(Finding::new(
            "nothing says where events are kept",
            "add `.storage(Sqlite::file(\"data/app.db\"))`",
        )),
        1 => {}
        count => findings
            .push(Finding::new(format!("storage is given {count} times"), "keep one `.storage(…)` line")),
    }
}

fn deciders(builder: &ApplicationBuilder, findings: &mut Vec<Finding>) {
    let by_category = group(builder.deciders.iter().map(|decider| (decider.category, decider.type_name)));
    for (category, deciders) in by_category {
        if deciders.len() > 1 {
            let list = deciders.join(" and ");
            let fix = if deciders.iter().all(|decider| *decider == deciders[0]) {
                format!("keep one `.decider::<{}>()` line", deciders[0])
            } else {
                "give one of them another `#[action(category = \"…\")]`".to_owned()
            };
            findings.push(Finding::new(format!("category {category:?} is decided by {list}"), fix));
        }
        if category.starts_with(&composable_rust_core::process_category("")) {
            findings.push(Finding::new(
                format!("category {category:?} of {} is kept for processes", deciders.join(" and ")),
                "give its action a `#[action(category = \"…\")]` that does not begin with \"process-\"",
            ));
        }
        if StreamId::new(category, "key").is_err() {
            findings.push(Finding::new(
                format!("{category:?} is no category name"),
                format!("use 1 to {MAX_CATEGORY_BYTES} characters of a-z, 0-9, '_', '-' and '.'"),
            ));
        }
    }
}

fn event_types(builder: &ApplicationBuilder, findings: &mut Vec<Finding>) {
    let claims = builder
        .deciders
        .iter()
        .flat_map(|decider| decider.events.iter().map(|(event, _)| (*event, decider.category)));
    for (event, mut categories) in group(claims) {
        categories.dedup();
        if categories.len() > 1 {
            findings.push(Finding::new(
                format!("event type {event:?} is claimed by the categories {}", categories.join(" and ")),
                "give one of them another `#[event(name = \"…\")]`",
            ));
        }
    }
}

fn processes(builder: &ApplicationBuilder, findings: &mut Vec<Finding>) {
    for process in &builder.processes {
        let (who, name) = (process.type_name, process.name);
        if StreamId::new(&composable_rust_core::process_category(name), "key").is_err() {
            findings.push(Finding::new(
                format!("{name:?} is no name of a process ({who})"),
                "use a-z, 0-9, '_', '-' and '.' in its `NAME`",
            ));
        }
    }
    let names = group(builder.processes.iter().map(|process| (process.name, process.type_name)));
    for (name, types) in names.into_iter().filter(|(_, types)| types.len() > 1) {
        let types = types.join(" and ");
        findings.push(Finding::new(
            format!("process name {name:?} is used by {types}"),
            "give one of them another `NAME`, or keep one `.process::<…>()` line",
        ));
    }
}

fn activities(builder: &ApplicationBuilder, findings: &mut Vec<Finding>) {
    let called: BTreeSet<_> =
        builder.processes.iter().flat_map(|process| process.calls.iter().copied()).collect();
    let names = group(builder.activities.iter().map(|activity| (activity.name, activity.type_name)));
    for (name, types) in names {
        if types.len() > 1 {
            findings.push(Finding::new(
                format!("activity {name:?} is performed by {}", types.join(" and ")),
                "keep one `.activity(…)` line",
            ));
        }
        if !called.contains(name) {
            findings.push(Finding::new(
                format!("activity {name:?} ({}) is called by no process", types.join(" and ")),
                "add the `.process::<…>()` that calls it, or remove the `.activity(…)` line",
            ));
        }
    }
}

fn projections(builder: &ApplicationBuilder, findings: &mut Vec<Finding>) {
    let names = group(builder.projections.iter().map(|projection| (projection.name, projection.type_name)));
    for (name, types) in names {
        if types.len() > 1 {
            findings.push(Finding::new(
                format!("read model {name:?} is written by {}", types.join(" and ")),
                "give one of them another `NAME`, or keep one `.projection(…)` line",
            ));
        }
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if name.is_empty() || name.len() > MAX_READ_MODEL_NAME || !name.bytes().all(allowed) {
            findings.push(Finding::new(
                format!("{name:?} is no name of a read model"),
                format!("use 1 to {MAX_READ_MODEL_NAME} characters of a-z, 0-9 and '_' in its `NAME`"),
            ));
        }
    }
}

/// What somebody relies on and nobody declared: one finding for each, however many rely on it.
fn missing(builder: &ApplicationBuilder, findings: &mut Vec<Finding>) {
    let categories: BTreeSet<_> = builder.deciders.iter().map(|decider| decider.category).collect();
    let activities: BTreeSet<_> = builder.activities.iter().map(|activity| activity.name).collect();
    let mut deciders = BTreeMap::<&str, Vec<String>>::new();
    let mut performers = BTreeMap::<&str, Vec<String>>::new();
    for process in &builder.processes {
        for category in process.dispatches_to.iter().filter(|category| !categories.contains(**category)) {
            let use_of = format!("process {} dispatches its commands", process.type_name);
            note(deciders.entry(category).or_default(), use_of);
        }
        for call in process.calls.iter().filter(|call| !activities.contains(**call)) {
            note(performers.entry(call).or_default(), format!("process {}", process.type_name));
        }
    }
    for (who, reader) in readers(builder) {
        for category in reader.categories.iter().filter(|category| !categories.contains(**category)) {
            note(deciders.entry(category).or_default(), format!("{who} reads its events"));
        }
    }
    for (category, uses) in deciders {
        findings.push(Finding::new(
            format!("nobody decides category {category:?}: {}", uses.join(", ")),
            format!("add `.decider::<{}>()`, or what else has that category", type_named(category)),
        ));
    }
    for (call, by) in performers {
        findings.push(Finding::new(
            format!("nothing performs activity {call:?} of {}", by.join(" and ")),
            format!("add `.activity(…)` with what has `type Call = {}`", type_named(call)),
        ));
    }
}

/// Adds a use once: a line that stands twice is a finding of its own.
fn note(uses: &mut Vec<String>, text: String) {
    if !uses.contains(&text) {
        uses.push(text);
    }
}

/// Whoever reads events of a declared decider reads such as it writes.
fn events_read(builder: &ApplicationBuilder, findings: &mut Vec<Finding>) {
    let categories: BTreeSet<_> = builder.deciders.iter().map(|decider| decider.category).collect();
    let events: BTreeSet<_> =
        builder.deciders.iter().flat_map(|decider| &decider.events).map(|(event, _)| *event).collect();
    for (who, Reader { categories: read, events: decoded }) in readers(builder) {
        if read.iter().all(|category| categories.contains(category)) {
            for (event, _) in decoded.iter().filter(|(event, _)| !events.contains(event)) {
                findings.push(Finding::new(
                    format!("{who} reads event type {event:?}, which nobody writes"),
                    "register the decider from whose action it reads",
                ));
            }
        }
    }
}

fn readers(builder: &ApplicationBuilder) -> impl Iterator<Item = (String, &Reader)> {
    let processes = builder.processes.iter().map(|of| (format!("process {}", of.type_name), &of.reads));
    let projections =
        builder.projections.iter().map(|of| (format!("projection {}", of.type_name), &of.reads));
    processes.chain(projections)
}

/// The type from which a derive makes `name`, unless its author has chosen another.
fn type_named(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for word in name.split(['-', '_', '.']) {
        let mut letters = word.chars();
        text.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        text.push_str(letters.as_str());
    }
    text
}

fn name(builder: &ApplicationBuilder, findings: &mut Vec<Finding>) {
    if StreamId::new("application", &builder.name).is_err() {
        findings.push(Finding::new(
            format!("{:?} is no name of an application", builder.name),
            "give `Application::builder(\"…\")` 1 to 200 bytes without control characters",
        ));
    }
}

fn group(
    pairs: impl Iterator<Item = (&'static str, &'static str)>,
) -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut groups = BTreeMap::<_, Vec<_>>::new();
    for (key, value) in pairs {
        groups.entry(key).or_default().push(value);
    }
    groups
}
