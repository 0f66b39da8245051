//! What a slice of the ticketing application may know of another: ids, events, views, and through `mod.rs` only.
//!
//! Reads every path that starts in the crate (`crate::…`, `super::super::…`), also inside macro calls.
//! The files beside the slices (`app.rs`, `config.rs`, …) assemble them and may name everything.

use crate::{
    tokens::{Level, levels},
    tree::{self, Finding, Source, report},
};
use proc_macro2::{Delimiter, TokenTree};
use std::collections::BTreeSet;

const SOURCES: &str = "examples/ticketing/src/";
/// What all may use; it may use no slice.
const SHARED: &str = "shared";
/// The process: the only slice whose subject is the others.
const CHECKOUT: &str = "checkout";

#[test]
fn slices_talk_through_events_ids_and_views() {
    let advice = "A slice is read alone. Use the other slice's ids, events or views through its `mod.rs`, \
                  move a common value to `shared`, or let `checkout` connect the two.";
    let files: Vec<_> = tree::rust().into_iter().filter(|file| file.path.starts_with(SOURCES)).collect();
    let slices = Slices::new(&files);
    report(advice, files.iter().flat_map(|file| slices.check(file)));
}

/// The slices and the modules that each has files for.
struct Slices {
    names: BTreeSet<String>,
    modules: BTreeSet<(String, String)>,
}

/// Where a file stands: its slice (none for the files beside them) and its part of the slice.
struct Place<'a> {
    slice: Option<&'a str>,
    part: &'a str,
    module: Vec<String>,
}

impl Slices {
    fn new(files: &[Source]) -> Self {
        let mut slices = Self { names: BTreeSet::new(), modules: BTreeSet::new() };
        for place in files.iter().filter_map(place) {
            if let Some(slice) = place.slice {
                slices.names.insert(slice.to_owned());
                slices.modules.insert((slice.to_owned(), place.part.to_owned()));
            }
        }
        slices
    }

    fn check(&self, file: &Source) -> Vec<Finding> {
        let Some(place) = place(file) else { return Vec::new() };
        let Some(slice) = place.slice.filter(|slice| *slice != CHECKOUT) else { return Vec::new() };
        let refuse = |(path, line): (Vec<String>, usize)| {
            let why = self.refusal(slice, place.part, &path)?;
            Some(file.finding(line, format!("`crate::{}`: {why}", path.join("::"))))
        };
        paths(file, &place.module).into_iter().filter_map(refuse).collect()
    }

    /// Why this file may not name that path; nothing when it may.
    fn refusal(&self, slice: &str, part: &str, path: &[String]) -> Option<&'static str> {
        if path.first().is_some_and(|name| ["self", "*"].contains(&name.as_str())) {
            return Some("name the item, not the whole crate");
        }
        let other =
            path.first().filter(|name| *name != slice && *name != SHARED && self.names.contains(*name))?;
        if slice == SHARED {
            return Some("`shared` knows no slice");
        }
        if !["views", "routes", "pages", "tests"].contains(&part) {
            return Some("only views, routes, pages and tests may name another slice");
        }
        let Some(item) = path.get(1).filter(|item| !["self", "*"].contains(&item.as_str())) else {
            return Some("name the item, not the whole slice");
        };
        let is_module = self.modules.contains(&(other.clone(), item.clone()));
        match part {
            _ if item == "views" => None,
            _ if is_module => Some("go through the slice's `mod.rs`, not into its parts"),
            "views" if item.ends_with("Command") => Some("a view reads events; it sends no command"),
            "routes" | "pages" if item.ends_with("Event") => Some("routes and pages read views, not events"),
            _ => None,
        }
    }
}

fn place(file: &Source) -> Option<Place<'_>> {
    let parts: Vec<_> = file.path.strip_prefix(SOURCES)?.strip_suffix(".rs")?.split('/').collect();
    let module = parts.iter().filter(|part| !["mod", "lib", "main"].contains(part)).map(ToString::to_string);
    let (slice, part) = match parts.as_slice() {
        [_] | [] => (None, ""),
        [slice, part, ..] => (Some(*slice), *part),
    };
    Some(Place { slice, part, module: module.collect() })
}

/// Every path into the crate, absolute (without `crate`), with its line.
fn paths(file: &Source, module: &[String]) -> Vec<(Vec<String>, usize)> {
    let mut found = Vec::new();
    for level in levels(file) {
        let here: Vec<_> = module.iter().chain(&level.modules).cloned().collect();
        for at in 0..level.tokens.len() {
            let inside = at >= 1 && (level.is_punct(at - 1, ':') || level.is_punct(at - 1, '$'));
            let start =
                if level.is_ident(at, "crate") { Some(Vec::new()) } else { ancestor(&level, at, &here) };
            if let Some(start) = start.filter(|_| !inside) {
                follow(&level, at, start, &mut found);
            }
        }
    }
    found
}

/// The module that a path starting with `super` starts from.
fn ancestor(level: &Level, at: usize, here: &[String]) -> Option<Vec<String>> {
    let parent = || here.split_last().map(|(_, parent)| parent.to_vec());
    level.is_ident(at, "super").then(parent)?
}

/// Reads on after the token at `at`, which stands for `path`, into the branches of a `use` tree too.
fn follow(level: &Level, at: usize, mut path: Vec<String>, found: &mut Vec<(Vec<String>, usize)>) {
    let (mut at, line) = (at, level.line(at));
    while level.is_path_separator(at + 1) {
        at += 3;
        match level.tokens.get(at) {
            Some(TokenTree::Ident(name)) if name == "super" => drop(path.pop()),
            Some(TokenTree::Ident(name)) => path.push(name.to_string()),
            Some(TokenTree::Punct(star)) if star.as_char() == '*' => path.push("*".to_owned()),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let branches = Level { tokens: group.stream().into_iter().collect(), ..level.clone() };
                return follow_branches(&branches, &path, found);
            }
            _ => break,
        }
    }
    // `use crate as c`, `use super as c`, `extern crate self as c`: what follows under the other name is not seen.
    if path.is_empty() && ["as", "self"].iter().any(|word| level.is_ident(at + 1, word)) {
        path.push("self".to_owned());
    }
    found.push((path, line));
}

fn follow_branches(level: &Level, path: &[String], found: &mut Vec<(Vec<String>, usize)>) {
    for at in 0..level.tokens.len() {
        let starts = at == 0 || level.is_punct(at - 1, ',');
        if starts && (level.ident(at).is_some() || level.is_punct(at, '*')) {
            let name = level.ident(at).map_or_else(|| "*".to_owned(), ToString::to_string);
            follow(level, at, [path, &[name]].concat(), found);
        }
    }
}

#[cfg(test)]
mod samples {
    //! The rules of the slices on files that exist only here.

    use super::*;

    /// What is refused in a file with this text, beside a slice `inventory` with all its parts.
    fn refused(path: &str, text: &str) -> Vec<String> {
        let parts = ["mod", "actions", "state", "decider", "routes", "views/availability"];
        let inventory = parts.map(|part| Source::new(&format!("{SOURCES}inventory/{part}.rs"), ""));
        let file = Source::new(&format!("{SOURCES}{path}"), text);
        let slices = Slices::new(&[&inventory[..], std::slice::from_ref(&file)].concat());
        slices.check(&file).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn deciders_know_shared_and_themselves() {
        let own = "use crate::shared::Money; use crate::payment::PaymentEvent; use super::super::payment::X;";
        assert!(refused("payment/decider.rs", own).is_empty());
        let text = "use crate::{\n  shared::Money,\n  inventory::{InventoryEvent, SectionId},\n};";
        let found = refused("payment/decider.rs", text);
        assert_eq!(found.len(), 2);
        assert!(found[0].contains("payment/decider.rs:3: `crate::inventory::InventoryEvent`"), "{found:?}");
        assert_eq!(refused("payment/state.rs", "fn a() { m!(crate::inventory::Seats::new()) }").len(), 1);
        assert_eq!(refused("payment/gateway/mod.rs", "use super::super::inventory::SectionId;").len(), 1);
        assert_eq!(
            refused("payment/actions.rs", "mod a { use super::super::super::inventory::X; }").len(),
            1
        );
        assert!(refused("payment/actions.rs", "mod a { use super::super::inventory::X; }").is_empty());
    }

    #[test]
    fn the_crate_has_one_name() {
        let own = "pub(crate) fn a() {} use super::*; use crate::shared as common;";
        assert!(refused("payment/decider.rs", own).is_empty());
        for text in [
            "use crate as c; use c::inventory::decider::Inventory;",
            "use crate::{self as c, shared::Money};",
            "use super::super as c;",
            "extern crate self as c;",
            "use crate::*;",
        ] {
            assert_eq!(refused("payment/decider.rs", text).len(), 1, "{text}");
        }
        assert_eq!(refused("payment/mod.rs", "use super as c;").len(), 1);
    }

    #[test]
    fn views_read_events_and_views() {
        assert!(
            refused("payment/views/list.rs", "use crate::inventory::{InventoryEvent, SectionId};").is_empty()
        );
        assert!(refused("payment/views/list.rs", "use crate::inventory::views::Availability;").is_empty());
        assert_eq!(refused("payment/views/list.rs", "use crate::inventory::InventoryCommand;").len(), 1);
        assert_eq!(
            refused("payment/views/list.rs", "use crate::inventory::actions::InventoryEvent;").len(),
            1
        );
    }

    #[test]
    fn routes_and_pages_use_ids_views_and_commands() {
        let text = "use crate::inventory::{InventoryCommand, SectionId, views::Availability};";
        assert!(refused("payment/routes.rs", text).is_empty());
        assert_eq!(refused("payment/pages.rs", "use crate::inventory::InventoryEvent;").len(), 1);
        assert_eq!(refused("payment/routes.rs", "use crate::inventory::decider::Inventory;").len(), 1);
        assert_eq!(refused("payment/routes.rs", "use crate::inventory;").len(), 1);
        assert_eq!(refused("payment/routes.rs", "use crate::inventory::{self, SectionId};").len(), 1);
        assert_eq!(refused("payment/routes.rs", "use crate::inventory::*;").len(), 1);
    }

    #[test]
    fn checkout_and_the_assembly_know_all_and_shared_knows_none() {
        let text = "use crate::inventory::decider::Inventory;";
        assert!(refused("checkout/process.rs", text).is_empty());
        assert!(refused("app.rs", text).is_empty());
        assert_eq!(refused("shared/ids.rs", text).len(), 1);
    }
}
