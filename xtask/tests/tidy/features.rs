//! `docs/features.md` promises nothing that no test proves.
//!
//! Checks that the named tests exist; that they pass is the business of `cargo test`.

use crate::tree::{Finding, Source, exists, report};

const COLUMNS: [&str; 4] = ["capability", "row ids", "where", "test"];

#[test]
fn every_feature_names_a_test_that_exists() {
    let advice = "Each row ends with one or more `path/to/file.rs::test_name` in backticks, from the root.";
    let read = |path: &str| exists(path).then(|| Source::read(path).text);
    report(advice, check(&Source::read("docs/features.md"), read));
}

/// What is wrong with the tables of a document; `read` gives the text of a file, if there is one.
fn check(document: &Source, read: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut rows = 0;
    for (at, line) in document.text.lines().enumerate().filter(|(_, line)| line.starts_with('|')) {
        let cells = cells(line);
        let is_rule = cells.iter().all(|cell| cell.chars().all(|c| c == '-' || c == ':'));
        if is_rule || cells == COLUMNS {
            continue;
        }
        rows += 1;
        let mut add = |what: String| findings.push(document.finding(at + 1, what));
        match cells.as_slice() {
            [_, _, _, tests] => problems(tests, &read).into_iter().for_each(&mut add),
            other => add(format!("{} columns, not {}", other.len(), COLUMNS.join(" | "))),
        }
    }
    if rows == 0 {
        findings.push(document.finding(1, "no row"));
    }
    findings
}

fn cells(line: &str) -> Vec<&str> {
    line.trim().trim_start_matches('|').trim_end_matches('|').split('|').map(str::trim).collect()
}

/// What is wrong with the last cell of a row.
fn problems(tests: &str, read: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let named: Vec<_> = tests.split('`').skip(1).step_by(2).collect();
    if named.is_empty() {
        return vec!["no test named".to_owned()];
    }
    let problem = |name: &&str| {
        let Some((path, function)) = name.rsplit_once(".rs::").map(|(path, f)| (format!("{path}.rs"), f))
        else {
            return Some(format!("`{name}` is not `path.rs::test`"));
        };
        let Some(text) = read(&path) else { return Some(format!("there is no file {path}")) };
        // A path inside the file (`module::test`) may precede the name.
        let function = function.rsplit("::").next().unwrap_or(function);
        let is_there = text.match_indices(&format!("fn {function}")).any(|(at, found)| {
            let after = text[at + found.len()..].chars().next();
            after.is_some_and(|c| !c.is_alphanumeric() && c != '_')
        });
        (!is_there).then(|| format!("{path} has no `fn {function}`"))
    };
    named.iter().filter_map(problem).collect()
}

#[test]
fn sample_tables() {
    let read = |path: &str| (path == "core/a.rs").then(|| "mod m { fn proves() {} }".to_owned());
    let found = |row: &str| {
        let text =
            format!("# Features\n\n| capability | row ids | where | test |\n|---|:--|---|---|\n{row}\n");
        check(&Source::new("f.md", &text), read)
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(found("| a | F-1 | core | `core/a.rs::proves`, `core/a.rs::m::proves` |"), "");
    assert_eq!(found("| a | F-1 | core | `core/a.rs::prove` |"), "f.md:5: core/a.rs has no `fn prove`");
    assert_eq!(found("| a | F-1 | core | `core/b.rs::proves` |"), "f.md:5: there is no file core/b.rs");
    assert_eq!(found("| a | F-1 | core | |"), "f.md:5: no test named");
    assert!(found("| a | F-1 | `core/a.rs::proves` |").contains("3 columns"));
    assert_eq!(found(""), "f.md:1: no row");
}
