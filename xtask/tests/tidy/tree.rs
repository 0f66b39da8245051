//! The files of the checkout, and how a rule reports what it finds in them.
//!
//! Knows no rule. Generated and ignored folders of the root (`target`, `data`, `.git`) are never read; a folder of
//! that name elsewhere is a module like any other.

use std::{ffi::OsStr, fmt, fs, path::Path};
use walkdir::{DirEntry, WalkDir};

const NEVER_READ: [&str; 3] = ["target", "data", ".git"];

/// A text file; its path is relative to the root of the workspace, with `/`.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    #[must_use]
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// Reads one file that must be there.
    pub(crate) fn read(path: &str) -> Self {
        let text = fs::read_to_string(root().join(path));
        Self::new(path, &text.unwrap_or_else(|error| panic!("{path}: {error}; the rules need this file")))
    }

    /// The file as syntax; a file that does not parse is a finding of its own.
    pub(crate) fn parse(&self) -> Result<syn::File, Finding> {
        syn::parse_file(&self.text).map_err(|error| self.finding(error.span().start().line, error))
    }

    pub(crate) fn finding(&self, line: usize, what: impl fmt::Display) -> Finding {
        Finding { path: self.path.clone(), line, what: what.to_string() }
    }

    /// Test code by its place: a `tests` folder or a `tests.rs`.
    pub(crate) fn is_test(&self) -> bool {
        self.path.split('/').any(|part| part == "tests" || part == "tests.rs")
    }
}

/// One place that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// Fails when there are findings; `advice` says what to do about them.
pub(crate) fn report(advice: &str, findings: impl IntoIterator<Item = Finding>) {
    let mut findings: Vec<_> = findings.into_iter().collect();
    findings.sort();
    findings.dedup();
    let list: Vec<_> = findings.iter().map(|finding| format!("  {finding}")).collect();
    assert!(list.is_empty(), "\n{advice}\n{}\n", list.join("\n"));
}

/// Every `.rs` file of the workspace.
pub(crate) fn rust() -> Vec<Source> {
    with_extension("rs")
}

/// Every `.md` file of the workspace.
pub(crate) fn markdown() -> Vec<Source> {
    with_extension("md")
}

/// Whether something is at this path, relative to the root.
pub(crate) fn exists(path: &str) -> bool {
    root().join(path).exists()
}

fn with_extension(extension: &str) -> Vec<Source> {
    let walk = WalkDir::new(root()).sort_by_file_name().into_iter().filter_entry(|entry| !is_skipped(entry));
    let files = walk.filter_map(Result::ok).filter(|entry| entry.file_type().is_file());
    let of_kind = files.filter(|entry| entry.path().extension().is_some_and(|found| found == extension));
    of_kind.map(|entry| read(entry.path())).collect()
}

fn is_skipped(entry: &DirEntry) -> bool {
    entry.file_type().is_dir() && is_never_read(entry.depth(), entry.file_name())
}

/// Whether this is the name of such a folder; the root itself has depth 0.
fn is_never_read(depth: usize, name: &OsStr) -> bool {
    depth == 1 && NEVER_READ.iter().any(|never| name == *never)
}

fn read(path: &Path) -> Source {
    let relative =
        path.strip_prefix(root()).expect("walked from the root").to_string_lossy().replace('\\', "/");
    Source::read(&relative)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is in the workspace's root")
}

#[test]
fn sample_folders() {
    let skipped = ["target", "data", ".git"];
    assert!(skipped.iter().all(|name| is_never_read(1, OsStr::new(name))));
    assert!(skipped.iter().all(|name| !is_never_read(2, OsStr::new(name))));
    assert!(!is_never_read(1, OsStr::new("core")));
}
