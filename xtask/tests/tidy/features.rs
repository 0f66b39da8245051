//! `docs/features.md` promises nothing that no test proves.
//!
//! Checks that the named places and tests exist; that they pass is the business of `cargo test`.

use crate::tree::{Finding, Source, exists, report};

const COLUMNS: [&str; 4] = ["capability", "row ids", "where", "test"];

#[test]
fn every_feature_names_a_test_that_exists() {
    let advice = "Each row ends with places, and with one or more `path/to/file.rs::test_name`, in backticks, from \
                  the root.";
    let read = |path: &str| exists(path).then(|| Source::read(path).text);
    report(advice, check(&Source::read("docs/features.md"), read, exists));
}

/// What is wrong with the tables of a document; `read` gives the text of a file, if there is one, and `exists` knows
/// folders too.
fn check(
    document: &Source,
    read: impl Fn(&str) -> Option<String>,
    exists: impl Fn(&str) -> bool,
) -> Vec<Finding> {
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
            [_, _, places, tests] => {
                dead_places(places, &exists).into_iter().for_each(&mut add);
                problems(tests, &read).into_iter().for_each(&mut add);
            }
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

/// What a cell names in backticks.
fn named(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// What is wrong with the cell that says where.
fn dead_places(places: &str, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let places = named(places);
    if places.is_empty() {
        return vec!["no place named".to_owned()];
    }
    places.into_iter().filter(|path| !exists(path)).map(|path| format!("there is no {path}")).collect()
}

/// What is wrong with the last cell of a row.
fn problems(tests: &str, read: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let named = named(tests);
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
        (!is_test(&path, &text, function)).then(|| format!("{path} has no test `fn {function}`"))
    };
    named.iter().filter_map(problem).collect()
}

/// Whether `function` stands in the file as a test: under an attribute that says so, or as a case of a contract, which
/// the suite's macro runs for each adapter (another test sees to it that each case is listed there).
fn is_test(path: &str, text: &str, function: &str) -> bool {
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let is_it = |line: &str| {
        let rest = ["fn ", "async fn ", "pub async fn "].iter().find_map(|head| line.strip_prefix(head));
        let rest = rest.and_then(|rest| rest.strip_prefix(function));
        rest.is_some_and(|rest| rest.starts_with(['(', '<']))
    };
    lines.iter().enumerate().filter(|(_, line)| is_it(line)).any(|(at, line)| {
        let attributes =
            lines[..at].iter().rev().take_while(|line| line.starts_with("#[") || line.ends_with(']'));
        let is_marked = attributes.into_iter().any(|line| line.contains("test]") || line.contains("test("));
        is_marked || (path.starts_with("testing/src/contract/") && line.starts_with("pub async fn "))
    })
}

#[test]
fn sample_tables() {
    let read = |path: &str| {
        (path == "core/a.rs").then(|| {
            "mod m {\n    #[test]\n    fn proves() {}\n    fn helps() {}\n}\n// fn says()".to_owned()
        })
    };
    let found = |row: &str| {
        let text =
            format!("# Features\n\n| capability | row ids | where | test |\n|---|:--|---|---|\n{row}\n");
        check(&Source::new("f.md", &text), read, |path| ["core", "core/a.rs"].contains(&path))
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(found("| a | F-1 | `core` | `core/a.rs::proves`, `core/a.rs::m::proves` |"), "");
    assert_eq!(
        found("| a | F-1 | `core` | `core/a.rs::prove` |"),
        "f.md:5: core/a.rs has no test `fn prove`"
    );
    for none in ["helps", "says"] {
        let expected = format!("f.md:5: core/a.rs has no test `fn {none}`");
        assert_eq!(found(&format!("| a | F-1 | `core` | `core/a.rs::{none}` |")), expected);
    }
    assert_eq!(found("| a | F-1 | `core` | `core/b.rs::proves` |"), "f.md:5: there is no file core/b.rs");
    assert_eq!(found("| a | F-1 | `core` | |"), "f.md:5: no test named");
    assert_eq!(
        found("| a | F-1 | `core`, `core/b.rs` | `core/a.rs::proves` |"),
        "f.md:5: there is no core/b.rs"
    );
    assert_eq!(found("| a | F-1 | core | `core/a.rs::proves` |"), "f.md:5: no place named");
    assert!(found("| a | F-1 | `core/a.rs::proves` |").contains("3 columns"));
    assert_eq!(found(""), "f.md:1: no row");
}
