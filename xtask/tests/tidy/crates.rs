//! Which crate may use which: the edges between our crates, and the libraries a crate refuses.
//!
//! The table below is the law; `docs/architecture.md` tells it. Versions and features are not looked at.

use crate::tree::{Finding, Source, report};
use toml::{Table, Value};

/// What one package may name in its manifest.
struct Law {
    package: &'static str,
    uses: &'static [&'static str],
    tests_use: &'static [&'static str],
    refuses: &'static [&'static str],
}

const FACADE: &str = "composable-rust";
const CORE: &str = "composable-rust-core";
const MACROS: &str = "composable-rust-macros";
const POSTGRES: &str = "composable-rust-postgres";
const PROJECTIONS: &str = "composable-rust-projections";
const REDIS: &str = "composable-rust-redis";
const REDPANDA: &str = "composable-rust-redpanda";
const RUNTIME: &str = "composable-rust-runtime";
const SQLITE: &str = "composable-rust-sqlite";
const TESTING: &str = "composable-rust-testing";
const WEB: &str = "composable-rust-web";

const SQL: [&str; 4] = ["sqlx", "rusqlite", "libsqlite3-sys", "tokio-postgres"];
const HTTP: [&str; 6] = ["axum", "hyper", "hyper-util", "http", "tower-http", "reqwest"];

const NO_SQL_NO_HTTP: [&str; 10] = joined(&SQL, &HTTP, &[]);
const NOTHING_OUTSIDE: [&str; 13] = joined(&SQL, &HTTP, &["tokio", "tokio-util", "tower"]);

const LAWS: [Law; 14] = [
    Law { package: MACROS, uses: &[], tests_use: &[CORE, FACADE], refuses: &NOTHING_OUTSIDE },
    Law { package: CORE, uses: &[MACROS], tests_use: &[TESTING], refuses: &NOTHING_OUTSIDE },
    Law { package: POSTGRES, uses: &[CORE], tests_use: &[TESTING], refuses: &HTTP },
    Law { package: PROJECTIONS, uses: &[CORE], tests_use: &[TESTING], refuses: &NO_SQL_NO_HTTP },
    Law { package: REDIS, uses: &[CORE], tests_use: &[TESTING], refuses: &NO_SQL_NO_HTTP },
    Law { package: REDPANDA, uses: &[CORE], tests_use: &[TESTING], refuses: &NO_SQL_NO_HTTP },
    Law { package: RUNTIME, uses: &[CORE, PROJECTIONS], tests_use: &[TESTING], refuses: &NO_SQL_NO_HTTP },
    Law { package: SQLITE, uses: &[CORE], tests_use: &[TESTING], refuses: &HTTP },
    Law { package: TESTING, uses: &[CORE, PROJECTIONS, RUNTIME], tests_use: &[], refuses: &NO_SQL_NO_HTTP },
    Law { package: WEB, uses: &[CORE, RUNTIME], tests_use: &[TESTING], refuses: &SQL },
    Law {
        package: FACADE,
        uses: &[CORE, MACROS, POSTGRES, PROJECTIONS, REDIS, REDPANDA, RUNTIME, SQLITE, TESTING, WEB],
        // Itself with its feature `testing`, which the counter's test needs and its users need not ask for.
        tests_use: &["ticketing", FACADE],
        refuses: &[],
    },
    Law { package: "ticketing", uses: &[FACADE], tests_use: &[], refuses: &SQL },
    Law { package: "composable-rust-benches", uses: &[FACADE, "ticketing"], tests_use: &[], refuses: &[] },
    Law { package: "xtask", uses: &[], tests_use: &[], refuses: &[] },
];

#[test]
fn crates_use_only_what_they_may() {
    let advice =
        "An edge that is missing in xtask/tests/tidy/crates.rs is a change of design: write an ADR first.";
    let root = Source::read("Cargo.toml");
    let members = table(&root).get("workspace").and_then(|workspace| workspace.get("members")).cloned();
    let members = members.as_ref().and_then(Value::as_array).expect("the workspace lists its members").iter();
    let paths = members.filter_map(Value::as_str).map(|member| format!("{member}/Cargo.toml"));
    let manifests: Vec<_> = paths.map(|path| Source::read(&path)).chain([root.clone()]).collect();
    let ours: Vec<_> = manifests.iter().filter_map(|manifest| name(&table(manifest))).collect();
    report(advice, manifests.iter().flat_map(|manifest| check(manifest, &ours)));
}

/// What is wrong with one manifest; `ours` are the names of the workspace's packages.
fn check(manifest: &Source, ours: &[String]) -> Vec<Finding> {
    let table = table(manifest);
    let package = name(&table).unwrap_or_default();
    let Some(law) = LAWS.iter().find(|law| law.package == package) else {
        return vec![
            manifest
                .finding(1, format!("no law for `{package}`: add it to LAWS and to docs/architecture.md")),
        ];
    };
    let mut findings = Vec::new();
    let mut add = |dependency: &str, what: String| {
        let line = manifest.text.lines().position(|line| line.trim_start().starts_with(dependency));
        findings.push(manifest.finding(line.map_or(1, |line| line + 1), what));
    };
    for dependency in dependencies(&table, &["dependencies", "build-dependencies"]) {
        let name = dependency.as_str();
        if ours.contains(&dependency) && !law.uses.contains(&name) {
            add(name, format!("`{package}` may use {:?} of ours, not `{name}`", law.uses));
        }
        if law.refuses.contains(&name) {
            add(name, format!("`{package}` refuses `{name}`: see its purpose in docs/architecture.md"));
        }
    }
    for dependency in dependencies(&table, &["dev-dependencies"]) {
        let name = dependency.as_str();
        if ours.contains(&dependency) && !law.uses.contains(&name) && !law.tests_use.contains(&name) {
            add(name, format!("tests of `{package}` may use {:?} besides, not `{name}`", law.tests_use));
        }
    }
    findings
}

/// The package names under these sections, those for one platform included.
fn dependencies(manifest: &Table, sections: &[&str]) -> Vec<String> {
    let platforms = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let tables = platforms.filter_map(Value::as_table).chain([manifest]);
    let named =
        tables.flat_map(|table| sections.iter().filter_map(|section| table.get(*section)?.as_table()));
    let package = |(key, value): (&String, &Value)| {
        value.get("package").and_then(Value::as_str).unwrap_or(key).to_owned()
    };
    named.flat_map(|section| section.iter().map(package)).collect()
}

fn name(manifest: &Table) -> Option<String> {
    Some(manifest.get("package")?.get("name")?.as_str()?.to_owned())
}

fn table(manifest: &Source) -> Table {
    manifest.text.parse().unwrap_or_else(|error| panic!("{}: {error}", manifest.path))
}

/// Three lists as one, so that a law can name it.
const fn joined<const N: usize>(
    first: &[&'static str],
    second: &[&'static str],
    third: &[&'static str],
) -> [&'static str; N] {
    let mut all = [""; N];
    let mut at = 0;
    while at < N {
        all[at] = if at < first.len() {
            first[at]
        } else if at < first.len() + second.len() {
            second[at - first.len()]
        } else {
            third[at - first.len() - second.len()]
        };
        at += 1;
    }
    all
}

#[test]
fn sample_manifests() {
    let ours: Vec<_> = LAWS.iter().map(|law| law.package.to_owned()).collect();
    let found = |name: &str, rest: &str| {
        let text = format!("[package]\nname = \"{name}\"\n{rest}");
        check(&Source::new("x/Cargo.toml", &text), &ours).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert!(found(SQLITE, "[dependencies]\nsqlx = \"1\"\ncomposable-rust-core.workspace = true").is_empty());
    assert!(found(SQLITE, "[dev-dependencies]\ncomposable-rust-testing.workspace = true").is_empty());
    assert!(
        found(SQLITE, "[dev-dependencies]\ncomposable-rust-runtime.workspace = true")[0].contains("tests of")
    );

    let edge = found(SQLITE, "[dependencies]\ncomposable-rust-runtime.workspace = true");
    assert!(edge[0].starts_with("x/Cargo.toml:4: `composable-rust-sqlite` may use"), "{edge:?}");
    let renamed =
        found(CORE, "[dependencies]\nrt = { package = \"composable-rust-runtime\", path = \"../runtime\" }");
    assert_eq!(renamed.len(), 1);
    assert_eq!(found(CORE, "[target.'cfg(unix)'.dependencies]\ntokio = \"1\"").len(), 1);
    assert_eq!(found(RUNTIME, "[build-dependencies]\naxum = \"1\"").len(), 1);
    assert!(found("stranger", "")[0].contains("no law"));
}
